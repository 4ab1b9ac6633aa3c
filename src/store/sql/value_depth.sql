SELECT depth FROM meltshim_state_values WHERE hash = $1
