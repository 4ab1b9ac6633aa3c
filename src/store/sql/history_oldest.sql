SELECT MIN(version) FROM meltshim_state_history WHERE state_id = $1
