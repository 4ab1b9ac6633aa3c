-- The payload of a run whose states were too large to be written twice each time.
UPDATE runs
SET payload = COALESCE((SELECT completed_state FROM state WHERE state_id = runs.job_name), payload),
    payload_flags = 1
WHERE id = $1
