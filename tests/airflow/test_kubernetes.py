"""The Kubernetes modes, made into pods by the real provider and checked against the schema that
Kubernetes publishes: the golden files, and every choice alone and with all others."""

import copy
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from kubernetes_validate.utils import ValidationError, all_versions, latest_version, validate

from support.airflow import airflow_environment
from support.paths import ROOT, venv_bin

FOLDER = ROOT / "tests" / "golden" / "kubernetes"
OLDEST, NEWEST = all_versions()[0], latest_version()

# What may be chosen for a pod; a key's second form stands after a slash.
CHOICES = {
    "image": "registry.example.com:5000/team/shop@sha256:" + 64 * "0",
    "namespace": "etl",
    "service_account_name": "shop.loader",
    "resources": {"requests": {"cpu": 1, "memory": "1.5Gi", "ephemeral-storage": "2G"},
                  "limits": {"cpu": 0.5, "nvidia.com/gpu": 1}},
    "resources/2": {"limits": {"memory": 1073741824}},
    "secrets": ["shop-credentials", "lake.credentials"],
    "secrets/2": "shop-credentials",
    "image_pull_secrets": ["registry", "mirror"],
    "image_pull_secrets/2": "registry",
    "env": {"DAY": "{{ ds }}", "EMPTY": "", "TEXT": "a: b\nc"},
    "cwd": "/srv/shop",
}


def write_every_shape(root: Path) -> None:
    """Each choice alone, and all together, in both modes; one task has its own image."""
    shapes = {key.replace("/", "-"): {key.split("/")[0]: value} for key, value in CHOICES.items()}
    shapes["all"] = {key: value for key, value in CHOICES.items() if "/" not in key}
    schedules = []
    for mode, image in (("kubernetes_pod", {"image": "shop:1"}), ("bash", {})):
        for name, choices in shapes.items():
            tasks = {"dbt:run": {"image": "dbt:1"}}
            airflow = {"mode": mode, **image, **choices, "tasks": tasks}
            schedules.append({"name": f"{mode}-{name}", "interval": "@daily", "job": "both",
                              "annotations": {"meltshim": {"airflow": airflow}}})
    root.mkdir()
    (root / "meltano.yml").write_text(yaml.safe_dump({
        "annotations": {"meltshim": {"airflow": {"program": "/opt/meltshim"}}},
        "jobs": [{"name": "both", "tasks": ["tap-shop target-lake", "dbt:run"]}],
        "schedules": schedules,
    }))


@pytest.fixture(scope="module")
def pods(tmp_path_factory, meltshim) -> dict:
    home = tmp_path_factory.mktemp("executors")
    write_every_shape(home / "shapes")
    done = subprocess.run([meltshim, "--project-root", home / "shapes", "airflow", "generate",
                           "--output", home / "dags"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [venv_bin("executors") / "python", Path(__file__).parent / "render_pods.py", FOLDER,
         home / "dags", home / "pods.json"],
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
    assert (base["image"], base["args"]) == ("registry.example.com/shop:1.4", ["airflow"])
    assert base["envFrom"] == [{"secretRef": {"name": "shop-credentials"}}]
    assert base["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"},
                                 "limits": {"memory": "2Gi"}}
    assert pod["metadata"]["namespace"] == "etl"
    assert pod["spec"]["serviceAccountName"] == "shop"
    assert container(pods["stock.dbt_run"])["resources"] == {"limits": {"memory": "8Gi"}}
    assert set(pods) >= {"one-task.dbt_run"} and "one-task.tap_shop_target_lake" not in pods


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_takes_every_pod(pods, version):
    modes = [name.split("-")[0] for name in pods]
    assert modes.count("kubernetes_pod") == 2 * (len(CHOICES) + 1)
    # A variable or a folder alone is no matter of the worker's pod.
    assert modes.count("bash") == 2 * (len(CHOICES) + 1) - 2
    for name, pod in pods.items():
        try:
            validate(pod, version, strict=True)
        except ValidationError as wrong:
            pytest.fail(f"{name}: {wrong.message} in {list(wrong.absolute_path)}")


MISTAKES = {
    "'imagePullSecret' was unexpected": lambda pod, base: pod["spec"].update(
        imagePullSecret=[{"name": "registry"}]),
    "'env_from' was unexpected": lambda pod, base: base.update(env_from=base["envFrom"]),
    "'secret' was unexpected": lambda pod, base: base["envFrom"][0].update(secret="shop"),
    "'name' is a required property": lambda pod, base: base.pop("name"),
    "['500m'] is not valid": lambda pod, base: base["resources"]["requests"].update(cpu=["500m"]),
    "'request' was unexpected": lambda pod, base: base["resources"].update(request={}),
    "7 is not of type 'string'": lambda pod, base: pod["spec"].update(serviceAccountName=7),
    "'containers' is a required property": lambda pod, base: pod["spec"].pop("containers"),
}


@pytest.mark.parametrize("task", ["orders.tap_shop_target_lake", "stock.tap_shop_target_lake"])
@pytest.mark.parametrize("message", MISTAKES)
def test_kubernetes_refuses_a_wrong_pod(pods, task, message):
    pod = copy.deepcopy(pods[task])
    MISTAKES[message](pod, container(pod))
    with pytest.raises(ValidationError) as caught:
        validate(pod, NEWEST, strict=True)
    assert message in caught.value.message
