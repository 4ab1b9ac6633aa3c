-- What a running row has is only for the case that its process is killed.
SELECT record FROM meltshim_runs AS own
WHERE record IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = own.row_id AND runs.state = 'RUNNING')
  AND (CAST($1 AS VARCHAR) IS NULL OR state_id = CAST($1 AS VARCHAR))
ORDER BY started_at DESC, id DESC
LIMIT CAST($2 AS BIGINT)
