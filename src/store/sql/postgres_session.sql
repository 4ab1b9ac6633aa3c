-- Sent once per connection; the last statement says who we are. A transaction that does not go on,
-- because the process was stopped, is rolled back by the server; a peer that is gone without a
-- word is noticed within a minute, and its locks are freed.
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET bytea_output = 'hex';
SET lock_timeout = '20s';
SET idle_in_transaction_session_timeout = '60s';
SET tcp_keepalives_idle = 20;
SET tcp_keepalives_interval = 10;
SET tcp_keepalives_count = 3;
SELECT backend_start, current_schema(), pg_backend_pid() FROM pg_stat_get_activity(pg_backend_pid());
