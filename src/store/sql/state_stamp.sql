SELECT updated_at FROM state WHERE state_id = $1
