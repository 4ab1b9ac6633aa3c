"""Does what the stock generators do: asks `meltano` for the schedules while Airflow parses the file,
and makes a DAG for each. STYLE says which of the two: the bundle puts the log level before the
command and wants a start_date; the extension calls without, and takes what is there."""

import json
import os
import subprocess
from datetime import datetime
from pathlib import Path

from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator

IS_BUNDLE = os.environ["STYLE"] == "bundle"
ROOT = Path(os.environ["MELTANO_PROJECT_ROOT"])
LINK = ".meltano/run/bin"
MELTANO = LINK if (ROOT / LINK).exists() else "meltano"
OPTIONS = ["--log-level=warning"] if IS_BUNDLE else []

answer = subprocess.run(
    [MELTANO, *OPTIONS, "schedule", "list", "--format=json"],
    cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True,
)
schedules = json.loads(answer.stdout)["schedules"]


def make_dag(schedule: dict, dag_id: str, tasks: dict[str, str]) -> DAG:
    start = schedule["start_date"] if IS_BUNDLE and "elt_args" in schedule else None
    with DAG(
        dag_id,
        schedule=schedule["cron_interval"],
        start_date=datetime.fromisoformat(start) if start else datetime(1970, 1, 1),
        catchup=False,
        max_active_runs=1,
    ) as dag:
        before = None
        for task_id, words in tasks.items():
            task = BashOperator(task_id=task_id, bash_command=f"cd {ROOT}; {MELTANO} {words}")
            if before:
                before >> task
            before = task
    return dag


for schedule in schedules["elt"]:
    if schedule["cron_interval"]:
        name = f"meltano_{schedule['name']}"
        globals()[name] = make_dag(
            schedule, name, {"extract_load": f"schedule run {schedule['name']}"}
        )
for schedule in schedules["job"]:
    if schedule["cron_interval"]:
        name = f"meltano_{schedule['name']}_{schedule['job']['name']}"
        blocks = [
            task if isinstance(task, str) else " ".join(task) for task in schedule["job"]["tasks"]
        ]
        globals()[name] = make_dag(
            schedule, name,
            {f"{name}_task{i}": f"run {block}" for i, block in enumerate(blocks)},
        )
