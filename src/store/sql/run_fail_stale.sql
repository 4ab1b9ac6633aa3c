-- The heartbeat is compared again: the run may have come back to life since it was read.
UPDATE runs SET state = 'FAIL', ended_at = $2, payload = $3
WHERE id = $1 AND state = 'RUNNING' AND (last_heartbeat_at IS NULL OR last_heartbeat_at < $4)
