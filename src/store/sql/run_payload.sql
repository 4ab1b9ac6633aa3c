SELECT payload FROM runs WHERE id = $1
