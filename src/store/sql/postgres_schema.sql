-- The tables but state, as Meltano 4.4.1's migrations leave them: the sequence and the key of runs
-- are named after its first name, job.
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE SEQUENCE job_id_seq AS INTEGER;
CREATE TABLE runs (
    id INTEGER NOT NULL DEFAULT nextval('job_id_seq'),
    job_name VARCHAR,
    state VARCHAR,
    started_at TIMESTAMP WITHOUT TIME ZONE,
    ended_at TIMESTAMP WITHOUT TIME ZONE,
    payload VARCHAR,
    payload_flags INTEGER,
    run_id UUID,
    "trigger" VARCHAR,
    last_heartbeat_at TIMESTAMP WITHOUT TIME ZONE,
    CONSTRAINT job_pkey PRIMARY KEY (id)
);
ALTER SEQUENCE job_id_seq OWNED BY runs.id;
CREATE TABLE plugin_settings (
    label VARCHAR(255),
    description TEXT,
    name VARCHAR(255) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    value BYTEA,
    enabled BOOLEAN,
    PRIMARY KEY (name, namespace)
);
INSERT INTO alembic_version VALUES ('c0efb3c314eb');
