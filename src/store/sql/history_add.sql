INSERT INTO meltshim_state_history (state_id, version, written_at, state_stamp, kind, source,
                                    run_id, completed_hash, partial_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
