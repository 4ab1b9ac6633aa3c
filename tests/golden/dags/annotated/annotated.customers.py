# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG, Asset
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id="annotated.customers",
    description="Meltano schedule customers: tap-shop to target-lake",
    schedule=[Asset("x-lake://shop/orders"), Asset("x-lake://shop/customers")],
    start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(0),
        "env": {
            "SHLVL": "1",  # without it bash reads ~/.bashrc
            "STAGE": "production",
        },
        "append_env": True,
        "cwd": "/srv/shop",
    },
    tags=["meltano", "schedule:customers", "tap-shop", "target-lake", "elt"],
):
    BashOperator(
        task_id="extract_load",
        bash_command="exec /opt/meltshim/bin/meltshim schedule run customers",
    )
