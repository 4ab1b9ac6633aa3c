SELECT ended_at FROM runs
WHERE job_name = $1 AND state = 'SUCCESS' AND ended_at IS NOT NULL
ORDER BY ended_at DESC
LIMIT 1
