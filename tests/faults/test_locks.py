"""One run per state id: many starters, owners that are suspended, and owners that come back."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from lab import ENDLESS, read_record

ONE = [["schema", "users"], ["counted", "users", 1, 1]]
STARTERS = 50
TASK = {
    "AIRFLOW_CTX_DAG_ID": "flights",
    "AIRFLOW_CTX_TASK_ID": "load",
    "AIRFLOW_CTX_DAG_RUN_ID": "manual__1",
}


def start_many(lab, *options, steps, suffixes=None):
    """Fifty at once, on the same state id unless there are suffixes."""
    lab.prepare(steps)
    return [
        lab.start(
            "run",
            *options,
            *([f"--state-id-suffix={suffixes[i]}"] if suffixes else []),
            "tap-a",
            "target-b",
        )
        for i in range(STARTERS)
    ]


def finish_all(processes) -> list[tuple[int, str, str]]:
    ended = []
    for process in processes:
        stdout, stderr = process.communicate(timeout=300)
        ended.append((process.returncode, stdout.decode(), stderr.decode()))
    return ended


def test_of_fifty_starters_one_runs_and_the_others_name_it(any_lab, check_record):
    lab = any_lab
    owner = lab.start_and_wait_for_state(env={**TASK, "AIRFLOW_CTX_TRY_NUMBER": "1"})
    ended = finish_all(start_many(lab, steps=ENDLESS))
    assert {status for status, _, _ in ended} == {1}
    for _, stdout, stderr in ended:
        assert re.search(
            r"nother 'dev:tap-a-to-target-b' pipeline is already running which started at "
            rf"\d{{4}}-\d\d-\d\d [\d:.+]+ \(process {owner.pid} on {re.escape(socket.gethostname())}, "
            r"Airflow DAG flights, task load, run manual__1, try 1\)",
            stderr,
        ), stderr
        assert check_record(stdout.splitlines()[-1])["error"]["class"] == "locked"
    assert owner.poll() is None
    owner.terminate()
    owner.communicate(timeout=20)
    assert lab.row_states() == ["FAIL"]
    assert lab.committed() == lab.confirmations()[-1]


@pytest.mark.parametrize("policy, refused", [("fail", (1, "locked")), ("skip", (99, "skipped"))])
def test_of_fifty_that_start_at_once_no_two_run_together(any_lab, policy, refused):
    """On an empty folder: the database is made by one of them, too."""
    lab = any_lab
    overlap = lab.root / "overlap"
    steps = [["alone", str(overlap)], *ONE]
    ended = finish_all(start_many(lab, f"--on-running={policy}", steps=steps))
    statuses = [status for status, _, _ in ended]
    for status, stdout, stderr in ended:
        error = json.loads(stdout.splitlines()[-1])["error"]
        assert status == 0 or (status, error["class"]) == refused, stderr
    assert 0 in statuses
    assert lab.loaded() == list(range(1, statuses.count(0) + 1))
    assert lab.row_states() == ["SUCCESS"] * statuses.count(0)
    lab.check_wholeness()


def test_fifty_that_wait_run_one_after_the_other(any_lab, soak):
    lab = any_lab
    steps = [["alone", str(lab.root / "overlap")], *ONE]
    ended = finish_all(start_many(lab, "--on-running=wait=240", steps=steps))
    assert {status for status, _, _ in ended} == {0}, next(e for e in ended if e[0])
    assert lab.loaded() == list(range(1, STARTERS + 1))
    assert lab.committed() == STARTERS


def test_fifty_runs_of_different_ids_run_at_once(any_lab):
    lab = any_lab
    meeting = lab.root / "meeting"
    meeting.mkdir()
    suffixes = [f"n{i}" for i in range(STARTERS)]
    steps = [["meet", str(meeting), STARTERS], *ONE]
    ended = finish_all(start_many(lab, steps=steps, suffixes=suffixes))
    assert {status for status, _, _ in ended} == {0}, next(e for e in ended if e[0])
    states = lab.query("SELECT state_id, completed_state FROM state")
    assert {state_id for state_id, _ in states} == {
        f"dev:tap-a-to-target-b:{suffix}" for suffix in suffixes
    }
    assert {
        json.loads(state)["singer_state"]["bookmarks"]["users"]["id"] for _, state in states
    } == {1}
    lab.check_wholeness()


def test_a_waiting_starter_gives_up_in_time(lab):
    owner = lab.start_and_wait_for_state()
    result = lab.run("run", "--on-running=wait=1", "tap-a", "target-b")
    assert result.status == 1
    assert 1 <= result.seconds < 10
    assert f"process {owner.pid}" in result.stderr
    owner.terminate()
    owner.communicate(timeout=20)


def suspend(process):
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def resume_and_check_refusal(lab, process):
    before = lab.query("SELECT state_id, completed_state, updated_at FROM state")
    versions = lab.versions()
    process.send_signal(signal.SIGCONT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 23, stderr.decode()
    record = read_record(stdout)
    assert record["error"]["class"] == "lost-lock"
    assert "has lost the lock of" in record["error"]["message"]
    assert lab.query("SELECT state_id, completed_state, updated_at FROM state") == before
    assert lab.versions() == versions
    assert lab.row_states() == ["FAIL", "SUCCESS"]
    runs = json.loads(lab.run("runs", "list", "--format=json").stdout)["runs"]
    assert [run for run in runs if run["run_id"] == record["run_id"]] == [record]


def test_a_suspended_run_whose_session_was_taken_over_cannot_write(postgres_lab):
    """As after the failover of a server, or a machine that slept: the session is gone."""
    lab = postgres_lab
    first = lab.start_and_wait_for_state()
    suspend(first)
    lab.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    second = lab.load("--on-running=wait=10", steps=ONE)
    assert second.status == 0, second.stderr
    resume_and_check_refusal(lab, first)


def test_a_suspended_run_whose_lock_file_is_gone_cannot_write(lab):
    """As on a shared file system that has given the lock away."""
    first = lab.start_and_wait_for_state()
    suspend(first)
    for lock in (lab.root / ".meltano" / "meltshim-locks").glob("*/*.lock"):
        lock.unlink()
    second = lab.load(steps=ONE)
    assert second.status == 0, second.stderr
    resume_and_check_refusal(lab, first)


def test_a_wait_of_more_seconds_than_can_be_counted_has_no_end(lab):
    first = lab.start_and_wait_for_state()
    second = lab.start("run", "--on-running=wait=9223372036854775807", "tap-a", "target-b")
    assert any(b"Waiting for another run" in line for line in second.stderr)
    first.terminate()
    first.communicate(timeout=20)
    lab.wait_for(lambda: lab.row_states() == ["FAIL", "RUNNING"])
    second.terminate()
    second.communicate(timeout=20)


def test_a_newer_attempt_ends_a_suspended_one(any_lab):
    lab = any_lab
    first = lab.start_and_wait_for_state(env={**TASK, "AIRFLOW_CTX_TRY_NUMBER": "1"})
    suspend(first)
    second = lab.load(steps=ONE, env={**TASK, "AIRFLOW_CTX_TRY_NUMBER": "2"})
    assert second.status == 0, second.stderr
    first.communicate(timeout=20)
    assert first.returncode in (18, -9)
    assert lab.row_states() == ["FAIL", "SUCCESS"]
    assert second.seconds < 15


def test_a_newer_attempt_ends_one_of_the_longest_names(lab):
    names = {variable: name.ljust(250, "x") for variable, name in TASK.items()}
    first = lab.start_and_wait_for_state(env={**names, "AIRFLOW_CTX_TRY_NUMBER": "1"})
    second = lab.load(steps=ONE, env={**names, "AIRFLOW_CTX_TRY_NUMBER": "2"})
    assert second.status == 0, second.stderr
    first.communicate(timeout=20)
    assert first.returncode == 18


def test_a_newer_attempt_kills_one_that_cannot_end(lab):
    first = lab.start_and_wait_for_state(env={**TASK, "AIRFLOW_CTX_TRY_NUMBER": "1"})
    suspend(first)
    stop = threading.Event()

    def keep_suspended():
        while not stop.wait(0.001):
            first.send_signal(signal.SIGSTOP)

    keeper = threading.Thread(target=keep_suspended)
    keeper.start()
    second = lab.load(steps=ONE, env={**TASK, "AIRFLOW_CTX_TRY_NUMBER": "2"})
    stop.set()
    keeper.join()
    first.communicate(timeout=20)
    assert second.status == 0, second.stderr
    assert lab.row_states() == ["FAIL", "SUCCESS"]
    assert lab.committed() == lab.confirmations()[-1]


def test_a_process_that_only_has_the_number_of_the_older_attempt_is_left_alone(postgres_lab):
    """It belongs to another program: the owner is in a container that has our host's name."""
    lab = postgres_lab
    owner = lab.start_and_wait_for_state(env={**TASK, "AIRFLOW_CTX_TRY_NUMBER": "1"})
    with subprocess.Popen(["sleep", "600"]) as bystander:
        lab.execute(f"UPDATE meltshim_locks SET owner_pid = {bystander.pid}")
        lab.prepare(ONE)
        env = {**TASK, "AIRFLOW_CTX_TRY_NUMBER": "2"}
        result = lab.run("run", "--on-running=wait=1", "tap-a", "target-b", env=env)
        assert bystander.poll() is None, "the bystander was ended"
        bystander.kill()
    assert result.status == 1
    assert result.record["error"]["class"] == "locked"
    owner.terminate()
    owner.communicate(timeout=20)


def test_an_older_attempt_does_not_end_a_newer_one(lab):
    newer = lab.start_and_wait_for_state(env={**TASK, "AIRFLOW_CTX_TRY_NUMBER": "2"})
    started = time.monotonic()
    older = lab.start(
        "run",
        "--on-running=fail",
        "tap-a",
        "target-b",
        env={**TASK, "AIRFLOW_CTX_TRY_NUMBER": "1"},
    )
    stdout, _ = older.communicate(timeout=30)
    assert older.returncode == 1
    assert read_record(stdout)["error"]["class"] == "locked"
    assert time.monotonic() - started < 10
    assert newer.poll() is None
    newer.terminate()
    newer.communicate(timeout=20)
