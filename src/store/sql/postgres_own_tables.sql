-- What meltshim keeps beside Meltano's tables.
CREATE TABLE IF NOT EXISTS meltshim_schema (
    version INTEGER NOT NULL PRIMARY KEY
);
-- One row per state id: the generation of its lock (the fence of every write made under it) and
-- the number of the last state version.
CREATE TABLE IF NOT EXISTS meltshim_locks (
    state_id VARCHAR(900) NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 0,
    owner_pid INTEGER,
    owner_host VARCHAR,
    owner_since TIMESTAMP WITHOUT TIME ZONE,
    owner_run_id UUID,
    owner_detail VARCHAR
);
-- Runs of this program: who owns a row of runs, and the run record.
CREATE TABLE IF NOT EXISTS meltshim_runs (
    id BIGSERIAL PRIMARY KEY,
    row_id INTEGER UNIQUE,
    run_id UUID NOT NULL,
    state_id VARCHAR(900),
    generation BIGINT,
    pid INTEGER,
    host VARCHAR,
    started_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    record VARCHAR
);
CREATE INDEX IF NOT EXISTS meltshim_runs_run_id ON meltshim_runs (run_id);
CREATE INDEX IF NOT EXISTS meltshim_runs_state_id ON meltshim_runs (state_id);
-- The ledger: every accepted version of every state id, as both parts were after the write. A stamp
-- that differs from state.updated_at tells that another program has written since.
CREATE TABLE IF NOT EXISTS meltshim_state_history (
    state_id VARCHAR(900) NOT NULL,
    version BIGINT NOT NULL,
    written_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    state_stamp TIMESTAMP WITHOUT TIME ZONE,
    kind VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    run_id UUID,
    completed_hash CHAR(64) NOT NULL,
    partial_hash CHAR(64) NOT NULL,
    PRIMARY KEY (state_id, version)
);
-- The values of the ledger, each once. A value with a base is that base with the bytes between
-- prefix and suffix replaced.
CREATE TABLE IF NOT EXISTS meltshim_state_values (
    hash CHAR(64) NOT NULL PRIMARY KEY,
    base_hash CHAR(64),
    prefix BIGINT NOT NULL DEFAULT 0,
    suffix BIGINT NOT NULL DEFAULT 0,
    depth INTEGER NOT NULL DEFAULT 0,
    value VARCHAR NOT NULL
);
INSERT INTO meltshim_schema (version) VALUES (1) ON CONFLICT DO NOTHING;
