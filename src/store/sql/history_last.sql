SELECT completed_hash, partial_hash, state_stamp, version, run_id, written_at
FROM meltshim_state_history
WHERE state_id = $1 AND version < $2
ORDER BY version DESC
LIMIT 1
