SELECT base_hash, prefix, suffix, value FROM meltshim_state_values WHERE hash = $1
