INSERT INTO state (state_id, completed_state, partial_state, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (state_id) DO UPDATE
SET completed_state = excluded.completed_state, partial_state = excluded.partial_state,
    updated_at = excluded.updated_at
