-- The last owner: whoever asks knows that somebody has the lock.
SELECT owner_pid, owner_host, owner_since, owner_run_id, owner_detail
FROM meltshim_locks WHERE state_id = $1
