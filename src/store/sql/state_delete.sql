DELETE FROM state WHERE state_id = $1
