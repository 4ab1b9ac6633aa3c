INSERT INTO meltshim_state_values (hash, base_hash, prefix, suffix, depth, value)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
