SELECT completed_hash, partial_hash FROM meltshim_state_history
WHERE state_id = $1 AND version = $2
