"""Every call that a `meltano` gets from the DAG files of the stock generators, and from people, when
it is a link to our program: how it is started, and what is wanted of it."""

import json
import os
import socket
import subprocess

import pytest


@pytest.fixture
def meltano(project):
    """.meltano/run/bin, which the first command makes, as the DAG files call it from the root."""
    assert project("--version").status == 0
    assert project("schedule", "list").status == 0
    assert os.readlink(project.directory / ".meltano" / "run" / "bin") == str(project.program)
    project.program = ".meltano/run/bin"
    return project


def schedules(result) -> dict:
    """Standard output as the generators take it: it must hold nothing but JSON."""
    assert result.status == 0, result.err
    return json.loads(result.out)["schedules"]


def test_the_extension_lists_the_schedules_while_a_file_is_parsed(meltano):
    """Standard input is a socket there, and MELTANO_ENVIRONMENT is set."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = subprocess.run(
            [meltano.program, "schedule", "list", "--format=json"], cwd=meltano.directory,
            env={**meltano.env, "MELTANO_ENVIRONMENT": "dev", "_AIRFLOW_PROCESS_CONTEXT": "client"},
            stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=True,
        )
    listed = json.loads(done.stdout)["schedules"]
    assert [schedule["name"] for schedule in listed["elt"]] == ["by-elt"]
    assert [schedule["name"] for schedule in listed["job"]] == ["by-job"]


def test_the_bundle_puts_the_log_level_before_the_command(meltano):
    listed = schedules(meltano("--log-level=warning", "schedule", "list", "--format=json"))
    [elt], [job] = listed["elt"], listed["job"]
    # Every field that one of the two generators reads.
    assert {"name", "extractor", "loader", "transform", "interval", "cron_interval", "env",
            "start_date", "last_successful_run_ended_at", "elt_args"} <= elt.keys()
    assert {"name", "interval", "cron_interval", "env", "job"} <= job.keys()
    assert job["job"].keys() == {"name", "tasks"}
    assert elt["start_date"] is None


def test_a_start_date_is_listed_as_it_stands(meltano):
    path = meltano.directory / "meltano.yml"
    path.write_text(path.read_text().replace(
        "  transform: skip\n", "  transform: skip\n  start_date: 2020-08-06 00:00:00\n"
    ))
    [elt] = schedules(meltano("schedule", "list", "--format=json"))["elt"]
    assert elt["start_date"].startswith("2020-08-06")


def test_a_task_of_a_job(meltano):
    """`cd ROOT; .meltano/run/bin run BLOCK ...`: bash execs the last command, so that it leads its
    session; standard output and standard error are one pipe."""
    done = subprocess.run(
        ["bash", "-c", f"cd {meltano.directory}; .meltano/run/bin run tap-a target-b"],
        env={**meltano.env, "AIRFLOW_CTX_DAG_ID": "meltano_by-job_j1", "SHLVL": "1",
             "AIRFLOW_CTX_TASK_ID": "meltano_by-job_j1_task0", "AIRFLOW_CTX_TRY_NUMBER": "1",
             "AIRFLOW_CTX_DAG_RUN_ID": "manual__1", "MELTANO_ENVIRONMENT": "dev"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, timeout=60, cwd="/tmp",
    )
    assert done.returncode == 0, done.stdout
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["trigger"]["dag_id"] == "meltano_by-job_j1"
    assert record["status"] == "success"


def test_a_task_of_a_schedule_with_extractor_and_loader(meltano):
    result = meltano("schedule", "run", "by-elt")
    assert result.status == 0, result.err
    assert json.loads(result.out.splitlines()[-1])["state_id"] == "by-elt"


def test_the_call_that_meltano_itself_makes_for_such_a_schedule(meltano):
    """With the full path of the link."""
    meltano.program = str(meltano.directory / meltano.program)
    result = meltano("elt", "tap-a", "target-b", "--transform=skip", "--state-id=by-elt",
                     MELTANO_PARENT_CONTEXT_UUID="6e2cbb4a-7a4c-4a6a-8c6c-6a5f0d8c3f11", A="1")
    assert result.status == 0, result.err
    assert json.loads(result.out.splitlines()[-1])["state_id"] == "by-elt"


def test_a_failed_task_fails(meltano):
    (meltano.directory / "bin" / "tap-a").write_text("#!/bin/sh\nexit 3\n")
    assert meltano("run", "tap-a", "target-b").status == 10
    assert meltano("schedule", "run", "by-elt").status == 10


def test_what_people_and_unit_files_call(meltano):
    path = meltano.directory / "meltano.yml"
    path.write_text(path.read_text().replace(
        "  utilities:\n",
        "  utilities:\n  - name: airflow\n    namespace: airflow\n    executable: /bin/echo\n"
        "    settings:\n    - name: core.executor\n      env: AIRFLOW__CORE__EXECUTOR\n"
        "    commands: {ui: webserver}\n",
    ))
    assert meltano("config", "set", "airflow", "core.executor", "LocalExecutor").status == 0
    assert "core.executor" in meltano("config", "list", "airflow").out
    assert meltano("--environment=prod", "config", "list", "airflow").status == 0
    assert meltano("install").status == 0


def test_the_name_is_what_counts(project, tmp_path):
    """`meltano` from the PATH, where there is no .meltano/run/bin."""
    link = tmp_path / "meltano"
    link.symlink_to(project.program)
    project.program = link
    assert project("--version").out.startswith("meltano, version ")
    assert project("run", "nonsense").status != 0
    assert schedules(project("schedule", "list", "--format=json"))["elt"]
