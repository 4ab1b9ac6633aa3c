INSERT INTO state (state_id, partial_state, completed_state) VALUES ($1, $2, '{}')
