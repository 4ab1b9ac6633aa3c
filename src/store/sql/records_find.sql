-- $1 is the start of a run id: hexadecimal digits without dashes.
SELECT record, run_id FROM meltshim_runs
WHERE record IS NOT NULL
  AND SUBSTR(REPLACE(CAST(run_id AS VARCHAR), '-', ''), 1, LENGTH(CAST($1 AS VARCHAR)))
      = CAST($1 AS VARCHAR)
ORDER BY started_at DESC, id DESC
