# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, CronTriggerTimetable
except ImportError:  # Airflow 2, 3.0 and 3.1
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.operators.bash import BashOperator
    from airflow.timetables.datasets import DatasetOrTimeSchedule
    from airflow.timetables.trigger import CronTriggerTimetable

    def AssetOrTimeSchedule(timetable, assets):
        return DatasetOrTimeSchedule(timetable=timetable, datasets=assets)  # noqa: AIR311


with DAG(
    dag_id="report-or-daily",
    description="Meltano schedule report-or-daily: job report",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 0 * * *", timezone="UTC"),
        assets=[Asset("x-lake://shop/orders")],
    ),
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
        "env": {
            "SHLVL": "1",  # without it bash reads ~/.bashrc
        },
        "append_env": True,
        "cwd": "/srv/shop",
    },
    tags=["meltano", "schedule:report-or-daily", "job:report"],
):
    BashOperator(
        task_id="report_sales",
        bash_command="exec meltshim run report:sales",
    )
