SELECT name FROM sqlite_master
WHERE type = 'table' AND instr(',' || $1 || ',', ',' || name || ',') > 0
