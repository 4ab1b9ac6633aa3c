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
    dag_id="long-names",
    description="Meltano schedule long-names: job long-names",
    schedule="0 0 * * 0",
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
    tags=["meltano", "schedule:long-names", "job:long-names"],
):
    tap_with_a_name_that_is_really_very_long_target_with_a_name_that_is_longer = BashOperator(
        task_id="tap_with_a_name_that_is_really_very_long_target_with_a_name_that_is_longer",
        bash_command="exec meltshim run tap-with-a-name-that-is-really-very-long target-with-a-name-that-is-longer",
    )
    tap_with_a_name_that_is_really_very_long_target_with_a_name_that_is_shorter = BashOperator(
        task_id="tap_with_a_name_that_is_really_very_long_target_with_a_name_that_is_shorter",
        bash_command="exec meltshim run tap-with-a-name-that-is-really-very-long target-with-a-name-that-is-shorter",
    )
    task_3 = BashOperator(  # noqa: AIR001
        task_id="2do",
        bash_command="exec meltshim run 2do",
    )

    (
        tap_with_a_name_that_is_really_very_long_target_with_a_name_that_is_longer
        >> tap_with_a_name_that_is_really_very_long_target_with_a_name_that_is_shorter
        >> task_3
    )
