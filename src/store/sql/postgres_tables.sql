-- From the catalogue: to_regclass() may answer from a cache that a concurrent CREATE has not reached.
SELECT relname FROM pg_class
WHERE relname = ANY (CAST(string_to_array($1, ',') AS NAME[])) AND pg_table_is_visible(oid)
