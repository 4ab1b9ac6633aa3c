-- Counts the version and checks the fence in one statement: no row, no right to write.
UPDATE meltshim_locks SET version = version + 1
WHERE state_id = $1 AND generation = $2
RETURNING version
