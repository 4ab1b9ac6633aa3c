# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
# ruff: noqa: E501
from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id="airflow",
    description="Meltano schedule airflow: tap to target",
    schedule="0 0 1 * *",
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
    },
    tags=["meltano", "schedule:airflow", "tap", "target"],
):
    BashOperator(
        task_id="extract_load",
        bash_command="{{ 'cd \\'/srv/a \\'\"\\'\"\\'b\\'\"\\'\"\\' \"c\" {{ d }}\\\\e.sh\\' && exec meltshim schedule run airflow' }}",
    )
