UPDATE meltshim_runs SET record = $2 WHERE row_id = $1
