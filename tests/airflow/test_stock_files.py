"""A DAG file that works as those of the stock generators do, when `meltano` is a link to meltshim."""

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from test_run import DOCUMENT, PLUGINS

GENERATOR = Path(__file__).parent / "stock" / "generator.py"
SCHEDULES = [
    {"name": "nightly", "interval": "30 2 * * *", "job": "j"},
    {"name": "load", "interval": "@hourly", "extractor": "tap-a", "loader": "target-b",
     "transform": "skip", "start_date": "2020-08-06 00:00:00"},
    {"name": "by-hand", "interval": "@manual", "job": "j"},
]


@pytest.mark.parametrize(("style", "found_by"), [("bundle", "link"), ("extension", "path")])
def test_they_run_unchanged(make_project, reader, meltshim, monkeypatch, tmp_path, style, found_by):
    project = make_project({
        **DOCUMENT, "schedules": SCHEDULES,
        "annotations": {"meltshim": {"airflow": {"ids": "stock"}}},
    })
    for name, text in PLUGINS.items():
        path = project.root / name
        path.write_text(f"#!/bin/sh{text}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    project.dags.mkdir()
    shutil.copy(GENERATOR, project.dags)
    if found_by == "link":
        # The first command in the project makes it.
        subprocess.run([meltshim, "--project-root", project.root, "schedule", "list"],
                       check=True, stdout=subprocess.DEVNULL, timeout=60)
    else:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "meltano").symlink_to(meltshim)
        monkeypatch.setitem(reader.airflow.env, "PATH",
                            f"{tmp_path / 'bin'}:{reader.airflow.env['PATH']}")
    for name, value in {"STYLE": style, "MELTANO_PROJECT_ROOT": str(project.root),
                        "MELTANO_ENVIRONMENT": "prod", "FLAVOUR": "sweet"}.items():
        monkeypatch.setitem(reader.airflow.env, name, value)

    result = reader.run(project.dags)
    assert result["errors"] == {}
    assert {name: dag["state"] for name, dag in result["dags"].items()} == {
        "meltano_nightly_j": "success", "meltano_load": "success",
    }
    assert list(result["dags"]["meltano_nightly_j"]["tasks"]) == [
        "meltano_nightly_j_task0", "meltano_nightly_j_task1",
    ]
    if style == "bundle":
        assert result["dags"]["meltano_load"]["start_date"].startswith("2020-08-06")
    assert (project.root / "util.txt").read_text() == "sweet"
    assert (project.root / ".meltano" / "run" / "bin").resolve() == meltshim.resolve()
    listed = json.loads(subprocess.run(
        [meltshim, "--project-root", project.root, "runs", "list", "--format=json"],
        stdout=subprocess.PIPE, check=True, timeout=60,
    ).stdout)["runs"]
    assert sorted(run["trigger"]["task_id"] for run in listed) == [
        "extract_load", "meltano_nightly_j_task0", "meltano_nightly_j_task1",
    ]
    assert {run["environment"] for run in listed} == {"prod"}

    # Their history goes on in our files, which have the same ids.
    (project.dags / GENERATOR.name).unlink()
    project.generate()
    ours = reader.read(project.dags)
    assert ours["errors"] == {}
    assert set(ours["dags"]) == {*result["dags"], "meltano_by-hand_j"}
    for name, dag in result["dags"].items():
        assert list(ours["dags"][name]["tasks"]) == list(dag["tasks"])
