INSERT INTO meltshim_runs (run_id, started_at, record) VALUES ($1, $2, $3)
