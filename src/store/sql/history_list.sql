SELECT version, written_at, kind, source, run_id, completed_hash, partial_hash
FROM meltshim_state_history
WHERE state_id = $1
ORDER BY version DESC
LIMIT CAST($2 AS BIGINT)
