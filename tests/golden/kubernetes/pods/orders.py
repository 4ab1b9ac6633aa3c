# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
from datetime import timedelta

import pendulum
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import models as k8s

try:
    from airflow.sdk import DAG, TaskGroup
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.utils.task_group import TaskGroup

with DAG(
    dag_id="orders",
    description="Meltano schedule orders: job orders",
    schedule="0 0 * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
        "image": "registry.example.com/shop:1.4",
        "namespace": "etl",
        "service_account_name": "shop",
        "container_resources": k8s.V1ResourceRequirements(
            requests={"cpu": "500m", "memory": "512Mi"},
            limits={"memory": "1Gi"},
        ),
        "env_from": [
            k8s.V1EnvFromSource(
                secret_ref=k8s.V1SecretEnvSource(name="shop-credentials"),
            ),
            k8s.V1EnvFromSource(
                secret_ref=k8s.V1SecretEnvSource(name="lake-credentials"),
            ),
        ],
        "image_pull_secrets": [k8s.V1LocalObjectReference(name="registry")],
        "cmds": ["meltshim"],
        "env_vars": {
            "AIRFLOW_CTX_DAG_ID": "{{ dag.dag_id }}",
            "AIRFLOW_CTX_TASK_ID": "{{ task.task_id }}",
            "AIRFLOW_CTX_DAG_RUN_ID": "{{ run_id }}",
            "AIRFLOW_CTX_TRY_NUMBER": "{{ ti.try_number }}",
            "MELTSHIM_XCOM_FILE": "{{ '/airflow/xcom/return.json' }}",
            "MELTANO_ENVIRONMENT": "prod",
            "FROM_SCHEDULE": "{{ 'as it is {{ no template }}' }}",
        },
        "do_xcom_push": True,
    },
    tags=["meltano", "schedule:orders", "job:orders"],
):
    tap_shop_target_lake = KubernetesPodOperator(
        task_id="tap_shop_target_lake",
        arguments=["--project-root=/srv/shop", "run", "tap-shop", "target-lake"],
    )
    with TaskGroup(group_id="models"):
        dbt_run_vars_vars_yml = KubernetesPodOperator(
            task_id="dbt_run_vars_vars_yml",
            arguments=[
                "--project-root=/srv/shop",
                "run",
                "dbt:run",
                "--vars",
                "{{ 'vars.yml' }}",
            ],
            env_vars={
                "AIRFLOW_CTX_DAG_ID": "{{ dag.dag_id }}",
                "AIRFLOW_CTX_TASK_ID": "{{ task.task_id }}",
                "AIRFLOW_CTX_DAG_RUN_ID": "{{ run_id }}",
                "AIRFLOW_CTX_TRY_NUMBER": "{{ ti.try_number }}",
                "MELTSHIM_XCOM_FILE": "{{ '/airflow/xcom/return.json' }}",
                "MELTANO_ENVIRONMENT": "prod",
                "FROM_SCHEDULE": "{{ 'as it is {{ no template }}' }}",
                "DAY": "{{ ds }}",
                "PROFILES": "{{ 'profiles.yml' }}",
            },
            image="registry.example.com/dbt:1.9",
            container_resources=k8s.V1ResourceRequirements(requests={"memory": "4Gi"}),
        )

    tap_shop_target_lake >> dbt_run_vars_vars_yml
