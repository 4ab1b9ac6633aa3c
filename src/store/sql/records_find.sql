-- $1 is the start of a run id: hexadecimal digits without dashes. What a running row has is only for
-- the case that its process is killed.
SELECT record, run_id FROM meltshim_runs AS own
WHERE record IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = own.row_id AND runs.state = 'RUNNING')
  AND SUBSTR(REPLACE(CAST(run_id AS VARCHAR), '-', ''), 1, LENGTH(CAST($1 AS VARCHAR)))
      = CAST($1 AS VARCHAR)
ORDER BY started_at DESC, id DESC
