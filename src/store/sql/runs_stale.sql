SELECT id, job_name, state, started_at, ended_at, last_heartbeat_at, payload, payload_flags, run_id,
       "trigger"
FROM runs
WHERE state = 'RUNNING' AND (CAST($1 AS VARCHAR) IS NULL OR job_name = CAST($1 AS VARCHAR))
  AND (last_heartbeat_at < $2 OR (last_heartbeat_at IS NULL AND started_at < $3))
ORDER BY id
