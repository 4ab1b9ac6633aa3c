UPDATE meltshim_runs SET record = $2 WHERE run_id = $1 AND row_id IS NULL
