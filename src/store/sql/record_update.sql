-- A row of the run that has one already, which was recorded in advance, or a row for it alone.
UPDATE meltshim_runs SET record = $2
WHERE run_id = $1 AND (row_id IS NULL OR record IS NOT NULL)
