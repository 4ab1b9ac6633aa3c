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
    dag_id="wide",
    description="Meltano schedule wide: job wide",
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
    tags=["meltano", "schedule:wide", "job:wide"],
):
    start = BashOperator(
        task_id="start",
        bash_command="exec meltshim run start",
    )
    first_of_three_in_the_middle = BashOperator(
        task_id="first_of_three_in_the_middle",
        bash_command="exec meltshim run first-of-three-in-the-middle",
    )
    second_of_three_in_the_middle = BashOperator(
        task_id="second_of_three_in_the_middle",
        bash_command="exec meltshim run second-of-three-in-the-middle",
    )
    third_of_three_in_the_middle = BashOperator(
        task_id="third_of_three_in_the_middle",
        bash_command="exec meltshim run third-of-three-in-the-middle",
    )
    end = BashOperator(
        task_id="end",
        bash_command="exec meltshim run end",
    )
    a_task_whose_name_is_so_long_that_no_formatter_would_leave_a_list_beside_it_as_it_is = BashOperator(
        task_id="a_task_whose_name_is_so_long_that_no_formatter_would_leave_a_list_beside_it_as_it_is",
        bash_command="exec meltshim run a-task-whose-name-is-so-long-that-no-formatter-would-leave-a-list-beside-it-as-it-is",
    )

    start >> [
        first_of_three_in_the_middle,
        second_of_three_in_the_middle,
        third_of_three_in_the_middle,
    ]
    [
        first_of_three_in_the_middle,
        second_of_three_in_the_middle,
        third_of_three_in_the_middle,
    ] >> end
    (
        start
        >> a_task_whose_name_is_so_long_that_no_formatter_would_leave_a_list_beside_it_as_it_is
    )
    (
        end
        >> a_task_whose_name_is_so_long_that_no_formatter_would_leave_a_list_beside_it_as_it_is
    )
