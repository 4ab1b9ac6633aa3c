-- The new owner gets the next generation; writes under an older one are refused from now on.
INSERT INTO meltshim_locks (state_id, generation, owner_pid, owner_host, owner_since, owner_run_id,
                            owner_detail)
VALUES ($1, 1, $2, $3, $4, $5, $6)
ON CONFLICT (state_id) DO UPDATE
SET generation = meltshim_locks.generation + 1, owner_pid = excluded.owner_pid,
    owner_host = excluded.owner_host, owner_since = excluded.owner_since,
    owner_run_id = excluded.owner_run_id, owner_detail = excluded.owner_detail
RETURNING generation
