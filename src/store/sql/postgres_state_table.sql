-- An older table of this name was never in use.
DROP TABLE IF EXISTS state;
CREATE TABLE state (
    state_id VARCHAR(900) NOT NULL,
    partial_state VARCHAR,
    completed_state VARCHAR,
    updated_at TIMESTAMP WITHOUT TIME ZONE,
    PRIMARY KEY (state_id)
);
