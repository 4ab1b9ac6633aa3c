# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
# ruff: noqa: E501
from datetime import timedelta

import company.alerts
import company.metrics
import other.alerts
import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG, Asset
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id="orders",
    description="What was ordered",
    schedule="30 6 * * *",
    start_date=pendulum.datetime(2023, 2, 5, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=2,
    dagrun_timeout=timedelta(days=1),
    is_paused_upon_creation=False,
    on_failure_callback=company.alerts.page,
    on_success_callback=[company.alerts.tell, company.metrics.count],
    default_args={
        "owner": "data-platform",
        "retries": 5,
        "retry_delay": timedelta(minutes=1, seconds=30),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(hours=2),
        "execution_timeout": timedelta(hours=1),
        "depends_on_past": True,
        "pool": "lake",
        "pool_slots": 2,
        "queue": "heavy",
        "priority_weight": -10,
        "weight_rule": "absolute",
        "on_failure_callback": company.alerts.page,
        "on_retry_callback": other.alerts.tell,
        "env": {
            "SHLVL": "1",  # without it bash reads ~/.bashrc
            "MELTANO_ENVIRONMENT": "prod",
            "STAGE": "production too",
            "FROM_SCHEDULE": "{{ 'as it is {{ no template }}' }}",
            "INTERVAL_START": "{{ data_interval_start.isoformat() if data_interval_start else '' }}",
        },
        "append_env": True,
        "cwd": "/srv/shop",
    },
    tags=[
        "meltano",
        "schedule:orders",
        "job:orders",
        "elt",
        "orders",
        "a tag that is long enough to make the list of tags too long for a single line",
    ],
):
    tap_shop_target_lake = BashOperator(
        task_id="tap_shop_target_lake",
        bash_command="exec /opt/meltshim/bin/meltshim run tap-shop target-lake",
    )
    dbt_run = BashOperator(
        task_id="dbt_run",
        bash_command="exec /opt/meltshim/bin/meltshim run dbt:run",
        retries=0,
        execution_timeout=timedelta(hours=1, minutes=30),
    )
    dbt_again = BashOperator(
        task_id="dbt_again",
        bash_command="exec /opt/meltshim/bin/meltshim run dbt:run",
        env={
            "SHLVL": "1",  # without it bash reads ~/.bashrc
            "MELTANO_ENVIRONMENT": "prod",
            "STAGE": "production too",
            "FROM_SCHEDULE": "{{ 'as it is {{ no template }}' }}",
            "INTERVAL_START": "{{ data_interval_start.isoformat() if data_interval_start else '' }}",
            "SECOND": "yes",
        },
        retries=0,
        execution_timeout=timedelta(hours=1, minutes=30),
        outlets=[Asset("x-lake://shop/orders"), Asset("x-lake://shop/customers")],
    )

    tap_shop_target_lake >> dbt_run >> dbt_again
