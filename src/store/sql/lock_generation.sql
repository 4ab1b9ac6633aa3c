SELECT generation FROM meltshim_locks WHERE state_id = $1
