SELECT completed_state, partial_state, updated_at FROM state WHERE state_id = $1
