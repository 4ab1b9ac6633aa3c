-- Running rows of this program under the state id whose owner had an older generation of the lock.
SELECT runs.id, runs.payload, own.pid, own.host
FROM runs
JOIN meltshim_runs AS own ON own.row_id = runs.id
WHERE runs.job_name = $1 AND runs.state = 'RUNNING' AND own.generation < $2
ORDER BY runs.id
