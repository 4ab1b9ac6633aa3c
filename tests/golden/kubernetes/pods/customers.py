# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
from datetime import timedelta

import pendulum
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import models as k8s

try:
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG

with DAG(
    dag_id="customers",
    description="Meltano schedule customers: tap-shop to target-lake",
    schedule="0 * * * *",
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
        },
        "do_xcom_push": True,
    },
    tags=["meltano", "schedule:customers", "tap-shop", "target-lake"],
):
    KubernetesPodOperator(
        task_id="extract_load",
        arguments=["schedule", "run", "customers"],
    )
