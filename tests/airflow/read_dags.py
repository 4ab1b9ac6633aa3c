"""Run by an Airflow's Python: FOLDER ANSWER [--run]. Writes what Airflow makes of a DAG folder."""

import json
import sys
import warnings

folder, answer, *options = sys.argv[1:]
warnings.simplefilter("ignore")

try:
    from airflow.dag_processing.dagbag import DagBag
    arguments = {}
except ImportError:  # Airflow 2
    from airflow.models import DagBag
    arguments = {"include_examples": False}


def describe_task(task) -> dict:
    return {
        "command": task.bash_command,
        "env": task.env,
        "append_env": task.append_env,
        "cwd": task.cwd,
        "upstream": sorted(task.upstream_task_ids),
        "owner": task.owner,
        "retries": task.retries,
        "retry_delay": task.retry_delay.total_seconds(),
        "retry_exponential_backoff": bool(task.retry_exponential_backoff),
        "execution_timeout": task.execution_timeout and task.execution_timeout.total_seconds(),
        "pool": task.pool,
        "pool_slots": task.pool_slots,
        "queue": task.queue,
        "priority_weight": task.priority_weight,
        "depends_on_past": task.depends_on_past,
        "outlets": [outlet.uri for outlet in task.outlets],
        "on_failure_callback": [call.__name__ for call in listed(task.on_failure_callback)],
    }


def listed(calls) -> list:
    if not calls:
        return []
    return list(calls) if isinstance(calls, (list, tuple)) else [calls]


def describe_schedule(dag) -> str | None:
    either = getattr(dag.timetable, "timetable", None)  # beside assets
    if either is not None:
        return "assets or " + (getattr(either, "expression", None) or either._expression)
    schedule = dag.schedule if hasattr(dag, "schedule") else dag.schedule_interval
    if isinstance(schedule, str):
        return "assets" if schedule == "Dataset" else schedule
    return "assets" if schedule else None


def describe(dag) -> dict:
    return {
        "description": dag.description,
        "schedule": describe_schedule(dag),
        "start_date": dag.start_date.isoformat(),
        "timezone": str(getattr(dag.timezone, "name", dag.timezone)),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "max_active_tasks": dag.max_active_tasks,
        "dagrun_timeout": dag.dagrun_timeout and dag.dagrun_timeout.total_seconds(),
        "is_paused_upon_creation": dag.is_paused_upon_creation,
        "tags": sorted(dag.tags),
        "on_failure_callback": [call.__name__ for call in listed(dag.on_failure_callback)],
        "tasks": {task.task_id: describe_task(task) for task in dag.tasks},
    }


bag = DagBag(folder, **arguments)
result = {"dags": {}, "errors": {str(key): text for key, text in bag.import_errors.items()}}
for dag_id, dag in sorted(bag.dags.items()):
    result["dags"][dag_id] = describe(dag)
    if "--run" in options:
        run = dag.test()
        result["dags"][dag_id]["state"] = str(getattr(run.state, "value", run.state))
with open(answer, "w") as file:
    json.dump(result, file)
