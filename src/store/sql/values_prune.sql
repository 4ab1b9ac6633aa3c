-- Values that no version has and no other value is based on. Those that only these were based on are
-- found by the next round.
DELETE FROM meltshim_state_values
WHERE hash NOT IN (SELECT completed_hash FROM meltshim_state_history)
  AND hash NOT IN (SELECT partial_hash FROM meltshim_state_history)
  AND hash NOT IN (SELECT base_hash FROM meltshim_state_values WHERE base_hash IS NOT NULL)
