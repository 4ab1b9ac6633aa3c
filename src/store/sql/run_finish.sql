-- No row is changed for a run whose lock has a newer generation.
UPDATE runs SET state = $2, ended_at = $3, payload = COALESCE($4, payload)
WHERE id = $1
  AND NOT EXISTS (SELECT 1 FROM meltshim_runs AS own
                  JOIN meltshim_locks AS fence ON fence.state_id = own.state_id
                  WHERE own.row_id = $1 AND own.generation < fence.generation)
