# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id="customers",
    description="Meltano schedule customers: tap-shop to target-lake",
    schedule="15,45 6-20/2 * * mon-fri",
    start_date=pendulum.datetime(2022, 5, 6, 7, 8, 9, tz="UTC"),
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
    tags=["meltano", "schedule:customers", "tap-shop", "target-lake", "transform"],
):
    BashOperator(
        task_id="extract_load",
        bash_command="exec meltshim schedule run customers",
    )
