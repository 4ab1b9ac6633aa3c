"""The golden files of the Kubernetes modes, made into pods by the real provider."""

import json
import subprocess
from pathlib import Path

import pytest

from support.airflow import airflow_environment
from support.paths import ROOT, venv_bin

FOLDER = ROOT / "tests" / "golden" / "kubernetes"


@pytest.fixture(scope="module")
def pods(tmp_path_factory) -> dict:
    home = tmp_path_factory.mktemp("executors")
    done = subprocess.run(
        [venv_bin("executors") / "python", Path(__file__).parent / "render_pods.py", FOLDER,
         home / "pods.json"],
        env=airflow_environment(home, FOLDER, "executors"), cwd=home, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return json.loads((home / "pods.json").read_text())


def container(pod: dict, name: str = "base") -> dict:
    return next(entry for entry in pod["spec"]["containers"] if entry["name"] == name)


def test_a_task_as_a_pod_of_its_own(pods):
    pod = pods["orders.tap_shop_target_lake"]
    base = container(pod)
    assert base["image"] == "registry.example.com/shop:1.4"
    assert base["command"] == ["meltshim"]
    assert base["args"] == ["--project-root=/srv/shop", "run", "tap-shop", "target-lake"]
    assert base["envFrom"] == [{"secretRef": {"name": "shop-credentials"}},
                               {"secretRef": {"name": "lake-credentials"}}]
    assert base["resources"] == {"requests": {"cpu": "500m", "memory": "512Mi"},
                                 "limits": {"memory": "1Gi"}}
    assert {entry["name"]: entry["value"] for entry in base["env"]} == {
        "AIRFLOW_CTX_DAG_ID": "orders",
        "AIRFLOW_CTX_TASK_ID": "tap_shop_target_lake",
        "AIRFLOW_CTX_DAG_RUN_ID": "manual__1",
        "AIRFLOW_CTX_TRY_NUMBER": "2",
        "MELTSHIM_XCOM_FILE": "/airflow/xcom/return.json",
        "MELTANO_ENVIRONMENT": "prod",
        "FROM_SCHEDULE": "as it is {{ no template }}",
    }
    assert pod["metadata"]["namespace"] == "etl"
    assert pod["spec"]["serviceAccountName"] == "shop"
    assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_the_sidecar_shares_the_folder_of_the_record(pods):
    pod = pods["customers.extract_load"]
    for name in ("base", "airflow-xcom-sidecar"):
        assert "/airflow/xcom" in [mount["mountPath"]
                                   for mount in container(pod, name)["volumeMounts"]]


def test_one_task_differs(pods):
    base = container(pods["orders.models.dbt_run_vars_vars_yml"])
    assert base["image"] == "registry.example.com/dbt:1.9"
    assert base["args"][-1] == "vars.yml"  # not the text of a file of that name
    assert base["resources"] == {"requests": {"memory": "4Gi"}}
    env = {entry["name"]: entry["value"] for entry in base["env"]}
    assert (env["DAY"], env["PROFILES"]) == ("2026-11-23", "profiles.yml")


def test_the_pod_of_the_worker_is_overridden(pods):
    pod = pods["stock.tap_shop_target_lake"]
    base = container(pod)
    assert (base["image"], base["command"]) == ("registry.example.com/shop:1.4", ["airflow"])
    assert base["envFrom"] == [{"secretRef": {"name": "shop-credentials"}}]
    assert base["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"},
                                 "limits": {"memory": "2Gi"}}
    assert pod["metadata"]["namespace"] == "etl"
    assert pod["spec"]["serviceAccountName"] == "shop"
    assert container(pods["stock.dbt_run"])["resources"] == {"limits": {"memory": "8Gi"}}
    assert set(pods) >= {"one-task.dbt_run"} and "one-task.tap_shop_target_lake" not in pods
