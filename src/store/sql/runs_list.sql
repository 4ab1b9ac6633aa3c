SELECT id, job_name, state, started_at, ended_at, last_heartbeat_at, payload, payload_flags, run_id,
       "trigger"
FROM runs
WHERE (CAST($1 AS VARCHAR) IS NULL OR job_name = CAST($1 AS VARCHAR))
  AND state <> 'STATE_EDIT'
ORDER BY started_at DESC, id DESC
LIMIT CAST($2 AS BIGINT)
