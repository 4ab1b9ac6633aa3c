# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG, TaskGroup
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator
    from airflow.utils.task_group import TaskGroup

with DAG(
    dag_id="everything",
    description="Meltano schedule everything: job everything",
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
    tags=["meltano", "schedule:everything", "job:everything"],
):
    with TaskGroup(group_id="load"):
        tap_shop_target_lake = BashOperator(
            task_id="tap_shop_target_lake",
            bash_command="exec meltshim run tap-shop target-lake",
        )
        tap_crm_target_lake = BashOperator(
            task_id="tap_crm_target_lake",
            bash_command="exec meltshim run tap-crm target-lake",
        )
    dbt_run = BashOperator(
        task_id="dbt_run",
        bash_command="exec meltshim run dbt:run",
    )
    report_sales = BashOperator(
        task_id="report_sales",
        bash_command="exec meltshim run report:sales",
    )
    report_stock = BashOperator(
        task_id="report_stock",
        bash_command="exec meltshim run report:stock",
    )
    task_6 = BashOperator(  # noqa: AIR001
        task_id="import",
        bash_command="exec meltshim run import",
    )

    [tap_shop_target_lake, tap_crm_target_lake] >> dbt_run
    dbt_run >> [report_sales, report_stock]
    [report_sales, report_stock] >> task_6
