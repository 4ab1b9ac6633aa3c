SELECT id, job_name, state, started_at, ended_at, last_heartbeat_at, payload, payload_flags, run_id,
       "trigger"
FROM runs
WHERE job_name = $1 AND state = 'RUNNING'
ORDER BY started_at DESC, id DESC
LIMIT 1
