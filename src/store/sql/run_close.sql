UPDATE runs SET state = 'FAIL', ended_at = $2, payload = $3 WHERE id = $1 AND state = 'RUNNING'
