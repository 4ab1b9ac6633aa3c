UPDATE meltshim_locks
SET owner_pid = NULL, owner_host = NULL, owner_since = NULL, owner_run_id = NULL,
    owner_detail = NULL
WHERE state_id = $1 AND generation = $2
