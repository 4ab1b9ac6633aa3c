-- Ends our own lost session, which would keep its locks until the server notices.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = $1 AND backend_start = CAST($2 AS TIMESTAMP WITH TIME ZONE)
