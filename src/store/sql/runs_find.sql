-- $1 is the start of a run id: hexadecimal digits without dashes.
SELECT id, job_name, state, started_at, ended_at, last_heartbeat_at, payload, payload_flags, run_id,
       "trigger"
FROM runs
WHERE SUBSTR(REPLACE(CAST(run_id AS VARCHAR), '-', ''), 1, LENGTH(CAST($1 AS VARCHAR)))
      = CAST($1 AS VARCHAR)
ORDER BY started_at DESC, id DESC
