"""Generated DAG files with the real meltshim behind them."""

import json
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest

PLUGINS = {
    "tap": """
echo '{"type":"SCHEMA","stream":"s","schema":{"properties":{"id":{}}},"key_properties":["id"]}'
echo '{"type":"RECORD","stream":"s","record":{"id":1}}'
echo '{"type":"STATE","value":{"at":1}}'
""",
    "target": """
cat >/dev/null
echo '{"at":1}'
""",
    "util": """
printf "%s" "$FLAVOUR" >util.txt
""",
}
SCHEDULE = {"interval": "@manual", "env": {"FLAVOUR": "{{ sweet }}\n"}}
DOCUMENT = {
    "default_environment": "dev",
    "environments": [{"name": "dev"}, {"name": "prod"}],
    "plugins": {
        "extractors": [{"name": "tap-a", "namespace": "tap_a", "executable": "./tap"}],
        "loaders": [{"name": "target-b", "namespace": "target_b", "executable": "./target"}],
        "utilities": [{"name": "util", "namespace": "util", "executable": "./util",
                       "commands": {"taste": ""}}],
    },
    "jobs": [{"name": "j", "tasks": ["tap-a target-b", "util:taste"]}],
    "schedules": [
        {"name": "by-job", "job": "j", **SCHEDULE,
         "annotations": {"meltshim": {"airflow": {"environment": "prod"}}}},
        {"name": "by-load", "extractor": "tap-a", "loader": "target-b", "transform": "skip",
         **SCHEDULE},
    ],
}


@pytest.fixture
def project(make_project, meltshim):
    project = make_project(DOCUMENT)
    project.program = meltshim
    for name, text in PLUGINS.items():
        path = project.root / name
        path.write_text(f"#!/bin/sh{text}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    project.generate()
    return project


def results(home: Path) -> dict[tuple[str, str], dict]:
    """What Airflow keeps of every task: its last line, as a text in JSON, in XCom."""
    with sqlite3.connect(home / "airflow.db") as database:
        rows = database.execute(
            "SELECT dag_id, task_id, value FROM xcom WHERE key = 'return_value'"
            " AND dag_id LIKE 'by-%'"
        ).fetchall()
    found = {}
    for dag_id, task_id, value in rows:
        while isinstance(value, (str, bytes)):
            value = json.loads(value)
        found[dag_id, task_id] = value
    return found


def test_a_run_arrives_with_all_that_the_schedule_says(project, reader):
    result = reader.run(project.dags)
    assert result["errors"] == {}
    assert {name: dag["state"] for name, dag in result["dags"].items()} == {
        "by-job": "success", "by-load": "success",
    }
    assert (project.root / "util.txt").read_text() == "{{ sweet }}\n"

    kept = results(reader.home)
    load, command = kept["by-job", "tap_a_target_b"], kept["by-job", "util_taste"]
    assert (load["status"], load["state_id"], load["environment"]) == (
        "success", "prod:tap-a-to-target-b", "prod",
    )
    assert load["streams"][0]["records"] == 1
    trigger = load["trigger"]
    assert (trigger["kind"], trigger["dag_id"], trigger["task_id"], trigger["try_number"]) == (
        "airflow", "by-job", "tap_a_target_b", "1",
    )
    assert (command["status"], command["environment"]) == ("success", "prod")
    by_load = kept["by-load", "extract_load"]
    assert (by_load["state_id"], by_load["environment"]) == ("by-load", "dev")

    listed = json.loads(subprocess.run(
        [project.program, "--project-root", project.root, "runs", "list", "--format=json"],
        stdout=subprocess.PIPE, check=True, timeout=60,
    ).stdout)
    assert {run["run_id"] for run in listed["runs"]} == {run["run_id"] for run in kept.values()}
