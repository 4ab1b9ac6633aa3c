-- Keeps away everybody who may be about to use a value again that is to be removed.
LOCK TABLE meltshim_state_values IN SHARE ROW EXCLUSIVE MODE
