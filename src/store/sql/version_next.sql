INSERT INTO meltshim_locks (state_id, version) VALUES ($1, 1)
ON CONFLICT (state_id) DO UPDATE SET version = meltshim_locks.version + 1
RETURNING version
