SELECT pg_advisory_unlock(CAST($1 AS BIGINT))
