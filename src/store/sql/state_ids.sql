SELECT state_id FROM state
