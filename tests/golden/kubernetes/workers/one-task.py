# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
from datetime import timedelta

import pendulum
from kubernetes.client import models as k8s

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id="one-task",
    description="Meltano schedule one-task: job orders",
    schedule="0 0 * * *",
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
    tags=["meltano", "schedule:one-task", "job:orders"],
):
    tap_shop_target_lake = BashOperator(
        task_id="tap_shop_target_lake",
        bash_command="exec meltshim run tap-shop target-lake",
    )
    dbt_run = BashOperator(
        task_id="dbt_run",
        bash_command="exec meltshim run dbt:run",
        executor_config={
            "pod_override": k8s.V1Pod(
                spec=k8s.V1PodSpec(
                    containers=[k8s.V1Container(name="base", image="dbt")],
                ),
            ),
        },
    )

    tap_shop_target_lake >> dbt_run
