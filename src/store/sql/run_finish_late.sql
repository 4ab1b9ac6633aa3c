-- The end of a run that is told by another one, which has the lock now: the fence is not asked.
UPDATE runs SET state = $2, ended_at = $3, payload = COALESCE($4, payload)
WHERE id = $1 AND run_id = $5
