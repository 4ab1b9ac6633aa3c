-- The tables but state, as Meltano 4.4.1's migrations leave them, to the byte: SQLite keeps this
-- text, and a comparison of sqlite_master should find no difference. Blanks at line ends belong to
-- it.
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE "runs" (
	id INTEGER NOT NULL, 
	job_name VARCHAR, 
	state VARCHAR(7), 
	started_at DATETIME, 
	ended_at DATETIME, 
	payload VARCHAR, 
	payload_flags INTEGER, run_id CHAR(32), "trigger" VARCHAR, last_heartbeat_at DATETIME, 
	PRIMARY KEY (id)
);
CREATE TABLE plugin_settings (
	label VARCHAR(255), 
	description TEXT, 
	name VARCHAR(255) NOT NULL, 
	namespace VARCHAR(255), 
	value BLOB, 
	enabled BOOLEAN, 
	PRIMARY KEY (name, namespace)
);
INSERT INTO alembic_version VALUES ('c0efb3c314eb');
