SELECT payload, payload_flags, ended_at FROM runs
WHERE job_name = $1 AND payload_flags <> 0 AND ended_at IS NOT NULL
ORDER BY ended_at, id
