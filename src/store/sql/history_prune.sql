-- All versions of a state but the newest $2; NULL: of every state.
DELETE FROM meltshim_state_history
WHERE (CAST($1 AS VARCHAR) IS NULL OR state_id = CAST($1 AS VARCHAR))
  AND version <= (SELECT MAX(newer.version) - CAST($2 AS BIGINT) FROM meltshim_state_history AS newer
                  WHERE newer.state_id = meltshim_state_history.state_id)
