"""meltshim itself is told to end, killed, or left without readers."""

import json
import os
import signal
import subprocess
import time

import pytest

from lab import ENDLESS


@pytest.mark.parametrize(
    "signal_number, status, error_class",
    [
        (signal.SIGTERM, 18, "terminated"),
        (signal.SIGHUP, 18, "terminated"),
        (signal.SIGINT, 17, "interrupted"),
    ],
)
@pytest.mark.parametrize("steps", [ENDLESS, [["ignore-term"], *ENDLESS]], ids=["polite", "deaf"])
def test_a_signal_ends_the_tap_and_lets_the_target_drain(
    lab, signal_number, status, error_class, steps
):
    process = lab.start_and_wait_for_state(steps=steps)
    started = time.monotonic()
    process.send_signal(signal_number)
    stdout, _ = process.communicate(timeout=20)
    assert time.monotonic() - started < 5
    assert process.returncode == status
    record = json.loads(stdout.splitlines()[-1])
    assert record["error"]["class"] == error_class
    assert lab.state()["bookmarks"]["users"]["id"] == lab.confirmations()[-1]
    assert lab.row_states() == ["FAIL"]
    assert not lab.survivors()


def test_the_death_of_airflows_task_runner_ends_the_run(lab):
    lab.prepare(ENDLESS)
    runner = subprocess.Popen(
        ["/bin/sh", "-c", '"$0" run tap-a target-b & wait', lab.meltshim],
        cwd=lab.root,
        env={**lab.env, "AIRFLOW_CTX_DAG_ID": "nightly"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    lab.wait_for(lambda: lab.committed() > 0)
    runner.kill()
    record = json.loads(runner.communicate(timeout=20)[0].splitlines()[-1])
    assert record["error"]["class"] == "terminated"
    assert lab.state()["bookmarks"]["users"]["id"] == lab.confirmations()[-1]
    lab.wait_until_gone()


@pytest.mark.parametrize("order", ["signal first", "death first", "both at once"])
def test_a_task_runner_that_ends_with_its_signal_does_not_hurry_the_target(lab, order):
    """As after Airflow's execution_timeout: the group gets SIGTERM, then the task runner is gone,
    and with it the reader of our output, while the target still has to confirm what it has."""
    lab.prepare(ENDLESS, {"confirm_late": True, "drain": 1})
    runner = subprocess.Popen(
        ["/bin/sh", "-c", '"$0" run tap-a target-b & echo $!; wait', lab.meltshim],
        cwd=lab.root,
        env={**lab.env, "AIRFLOW_CTX_DAG_ID": "nightly"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    # The program may already have said something.
    program = next(int(line) for line in runner.stdout if line.strip().isdigit())
    lab.wait_for(lambda: lab.output.exists() and lab.output.stat().st_size)
    if order == "both at once":
        os.kill(program, signal.SIGSTOP)
    if order == "death first":
        runner.kill()
        runner.wait()
    os.kill(program, signal.SIGTERM)
    runner.kill()
    runner.wait()
    runner.stdout.close()
    if order == "both at once":
        os.kill(program, signal.SIGCONT)
    lab.wait_until_gone()
    assert lab.state()["bookmarks"]["users"]["id"] == lab.confirmations()[-1]
    assert lab.row_states() == ["FAIL"]


def test_a_second_signal_hurries(lab):
    process = lab.start_and_wait_for_state(target={"ignore_term": True, "drain": 3600})
    process.terminate()
    time.sleep(0.2)
    started = time.monotonic()
    process.terminate()
    process.communicate(timeout=20)
    assert time.monotonic() - started < 1
    assert process.returncode == 18
    assert not lab.survivors()


def test_a_target_that_never_drains_is_ended_in_time(lab):
    process = lab.start_and_wait_for_state(target={"ignore_term": True, "drain": 3600})
    started = time.monotonic()
    process.terminate()
    process.communicate(timeout=20)
    assert time.monotonic() - started < 5
    assert not lab.survivors()


def test_a_run_that_takes_too_long_is_ended(lab):
    result = lab.load("--timeout", "1", steps=ENDLESS)
    assert result.status == 15
    assert result.record["error"]["class"] == "timeout"
    assert 1 <= result.seconds < 6
    assert lab.state()["bookmarks"]["users"]["id"] == lab.confirmations()[-1]


@pytest.mark.parametrize(
    "steps", [ENDLESS, [["ignore-term"], ["daemon", 3600], *ENDLESS]], ids=["polite", "deaf"]
)
def test_after_a_kill_nothing_survives_and_the_next_run_starts_at_once(lab, steps):
    process = lab.start_and_wait_for_state(steps=steps)
    process.kill()
    process.communicate()
    lab.wait_until_gone()
    confirmed = lab.state()["bookmarks"]["users"]["id"]
    assert confirmed <= lab.loaded()[-1]
    result = lab.load(steps=[["schema", "users"], ["counted", "users", 1, 1]])
    assert result.status == 0
    assert result.stream("users")["bookmark_before"] == {"id": confirmed}
    assert lab.row_states() == ["FAIL", "SUCCESS"]


def test_a_second_start_is_refused_and_names_the_owner(lab):
    process = lab.start_and_wait_for_state()
    result = lab.run("run", "tap-a", "target-b")
    assert result.status == 1
    assert f"process {process.pid}" in result.stderr
    assert result.record["error"]["class"] == "locked"
    process.terminate()
    process.communicate(timeout=20)


def test_another_state_id_may_run_beside_it(lab):
    process = lab.start_and_wait_for_state()
    lab.prepare([["schema", "users"], ["counted", "users", 2, 1]])
    result = lab.run("run", "--state-id-suffix=other", "tap-a", "target-b")
    assert result.status == 0
    assert lab.state("dev:tap-a-to-target-b:other") == {"bookmarks": {"users": {"id": 2}}}
    process.terminate()
    process.communicate(timeout=20)


def test_a_reader_of_standard_output_that_went_away_changes_nothing(lab):
    read_end, write_end = os.pipe()
    os.close(read_end)
    lab.prepare([["schema", "users"], ["counted", "users", 3, 1], ["long-error", 100_000]])
    process = lab.start("run", "tap-a", "target-b", stdout=write_end, stderr=write_end)
    os.close(write_end)
    assert process.wait(timeout=20) == 0
    assert lab.state() == {"bookmarks": {"users": {"id": 3}}}
    assert lab.row_states() == ["SUCCESS"]


def test_airflow_is_in_the_record_and_its_secrets_are_not_in_the_plugins(lab):
    seen = lab.root / "environment.json"
    result = lab.load(
        steps=[["environment", str(seen)]],
        env={
            "AIRFLOW_CTX_DAG_ID": "flights",
            "AIRFLOW_CTX_TASK_ID": "load",
            "AIRFLOW_CTX_DAG_RUN_ID": "manual__1",
            "AIRFLOW_CTX_TRY_NUMBER": "2",
            "AIRFLOW__API_AUTH__JWT_SECRET": "s3cret",
            "_AIRFLOW_PROCESS_CONTEXT": "server",
        },
    )
    assert result.status == 0
    assert result.record["trigger"] == {
        "kind": "airflow",
        "dag_id": "flights",
        "task_id": "load",
        "dag_run_id": "manual__1",
        "try_number": "2",
    }
    environment = json.loads(seen.read_text())
    assert environment["AIRFLOW_CTX_DAG_ID"] == "flights"
    assert not [name for name in environment if name.startswith(("AIRFLOW__", "_AIRFLOW_"))]


def test_a_newer_attempt_of_the_same_task_takes_over(lab):
    task = {
        "AIRFLOW_CTX_DAG_ID": "flights",
        "AIRFLOW_CTX_TASK_ID": "load",
        "AIRFLOW_CTX_DAG_RUN_ID": "manual__1",
    }
    first = lab.start_and_wait_for_state(env={**task, "AIRFLOW_CTX_TRY_NUMBER": "1"})
    lab.prepare([["schema", "users"], ["counted", "users", 1, 1]])
    second = lab.run("run", "tap-a", "target-b", env={**task, "AIRFLOW_CTX_TRY_NUMBER": "2"})
    first.communicate(timeout=20)
    assert first.returncode == 18
    assert second.status == 0
    # The one record whose state was not confirmed any more may come again.
    loaded = lab.loaded()
    assert list(dict.fromkeys(loaded)) == list(range(1, max(loaded) + 1))
    assert len(loaded) <= max(loaded) + 1
