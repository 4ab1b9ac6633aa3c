INSERT INTO runs (job_name, state, started_at, ended_at, payload, payload_flags, run_id, "trigger")
VALUES ($1, 'STATE_EDIT', $2, $2, $3, $4, $5, $6)
