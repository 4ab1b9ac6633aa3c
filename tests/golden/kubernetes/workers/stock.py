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
    dag_id="stock",
    description="Meltano schedule stock: job orders",
    schedule="0 0 * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
        "executor_config": {
            "pod_override": k8s.V1Pod(
                metadata=k8s.V1ObjectMeta(namespace="etl"),
                spec=k8s.V1PodSpec(
                    service_account_name="shop",
                    image_pull_secrets=[k8s.V1LocalObjectReference(name="registry")],
                    containers=[
                        k8s.V1Container(
                            name="base",
                            image="registry.example.com/shop:1.4",
                            resources=k8s.V1ResourceRequirements(
                                requests={"cpu": "1", "memory": "1Gi"},
                                limits={"memory": "2Gi"},
                            ),
                            env_from=[
                                k8s.V1EnvFromSource(
                                    secret_ref=k8s.V1SecretEnvSource(
                                        name="shop-credentials",
                                    ),
                                ),
                            ],
                        ),
                    ],
                ),
            ),
        },
        "env": {
            "SHLVL": "1",  # without it bash reads ~/.bashrc
        },
        "append_env": True,
        "cwd": "/srv/shop",
    },
    tags=["meltano", "schedule:stock", "job:orders"],
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
                metadata=k8s.V1ObjectMeta(namespace="etl"),
                spec=k8s.V1PodSpec(
                    service_account_name="shop",
                    image_pull_secrets=[k8s.V1LocalObjectReference(name="registry")],
                    containers=[
                        k8s.V1Container(
                            name="base",
                            image="registry.example.com/shop:1.4",
                            resources=k8s.V1ResourceRequirements(
                                limits={"memory": "8Gi"},
                            ),
                            env_from=[
                                k8s.V1EnvFromSource(
                                    secret_ref=k8s.V1SecretEnvSource(
                                        name="shop-credentials",
                                    ),
                                ),
                            ],
                        ),
                    ],
                ),
            ),
        },
    )

    tap_shop_target_lake >> dbt_run
