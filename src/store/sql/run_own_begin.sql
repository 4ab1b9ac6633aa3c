INSERT INTO meltshim_runs (row_id, run_id, state_id, generation, pid, host, started_at, record)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
