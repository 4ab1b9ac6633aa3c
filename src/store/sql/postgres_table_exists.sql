-- From the catalogue: to_regclass() may answer from a cache that a concurrent CREATE has not reached.
SELECT 1 FROM pg_class WHERE relname = CAST($1 AS VARCHAR) AND pg_table_is_visible(oid)
