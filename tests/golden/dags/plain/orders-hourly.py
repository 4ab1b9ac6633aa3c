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
    dag_id="orders-hourly",
    description="Meltano schedule orders-hourly: job orders",
    schedule="0 * * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
        "env": {
            "SHLVL": "1",  # without it bash reads ~/.bashrc
            "DBT_TARGET": "prod",
            "RETRIES": "3",
            "FULL": "True",
        },
        "append_env": True,
        "cwd": "/srv/shop",
    },
    tags=["meltano", "schedule:orders-hourly", "job:orders"],
):
    tap_shop_target_lake = BashOperator(
        task_id="tap_shop_target_lake",
        bash_command="exec meltshim run tap-shop target-lake",
    )
    dbt_deps_dbt_run = BashOperator(
        task_id="dbt_deps_dbt_run",
        bash_command="exec meltshim run dbt:deps dbt:run",
    )
    dbt_test = BashOperator(
        task_id="dbt_test",
        bash_command="exec meltshim run dbt:test",
    )

    tap_shop_target_lake >> dbt_deps_dbt_run >> dbt_test
