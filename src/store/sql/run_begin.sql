INSERT INTO runs (job_name, state, started_at, last_heartbeat_at, payload, payload_flags, run_id,
                  "trigger")
VALUES ($1, 'RUNNING', $2, $2, '{}', 0, $3, $4)
RETURNING id
