-- From an enumeration to text; on SQLite it was text from the start.
ALTER TABLE job ALTER COLUMN state TYPE VARCHAR;
DROP TYPE job_state;
