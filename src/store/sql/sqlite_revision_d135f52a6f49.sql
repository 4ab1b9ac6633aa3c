ALTER TABLE job ADD COLUMN last_heartbeat_at DATETIME;
