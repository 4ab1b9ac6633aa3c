"""Two workers, each with a copy of the project of its own, that share a PostgreSQL system database:
what another worker may do when the first one dies, hangs, or comes back."""

import os
import signal
import uuid

import pytest

from lab import ENDLESS, Lab, read_record

ONE = [["schema", "users"], ["counted", "users", 1, 1]]
TASK = {
    "AIRFLOW_CTX_DAG_ID": "flights",
    "AIRFLOW_CTX_TASK_ID": "load",
    "AIRFLOW_CTX_DAG_RUN_ID": "manual__1",
}


@pytest.fixture
def workers(tmp_path, meltshim, postgres):
    name = f"lab_{uuid.uuid4().hex}"
    uri = postgres.create_database(name)
    labs = []
    for worker in ("first", "second"):
        (tmp_path / worker).mkdir()
        labs.append(Lab(tmp_path / worker, meltshim, uri))
    yield labs
    left = [lab.survivors() for lab in labs]
    for lab in labs:
        lab.end_survivors()
    postgres.psql(f'DROP DATABASE "{name}" WITH (FORCE)')
    assert left == [[], []], "processes were left behind"


def attempt(number: int) -> dict[str, str]:
    return {**TASK, "AIRFLOW_CTX_TRY_NUMBER": str(number)}


def start(lab, number: int):
    """An attempt that has saved something and goes on."""
    lab.prepare(ENDLESS)
    process = lab.start("run", "tap-a", "target-b", env=attempt(number))
    lab.wait_for(lambda: lab.committed() > 0)
    return process


def check_second(lab, result, before: int) -> None:
    """It went on from what the first one had saved."""
    assert result.status == 0, result.stderr
    assert lab.row_states() == ["FAIL", "SUCCESS"]
    assert lab.committed() == lab.loaded()[-1] > before
    assert lab.loaded()[0] == before + 1


def test_a_worker_that_dies_blocks_nobody(workers):
    first, second = workers
    process = start(first, 1)
    process.kill()
    process.communicate(timeout=20)
    first.wait_until_gone()
    before = second.committed()
    result = second.load(steps=ONE, env=attempt(2))
    check_second(second, result, before)
    assert result.seconds < 10


def test_the_next_attempt_on_another_worker_ends_the_one_before(workers):
    first, second = workers
    process = start(first, 1)
    result = second.load(steps=ONE, env=attempt(2))
    stdout, _ = process.communicate(timeout=20)
    assert process.returncode == 18
    check_second(second, result, first.confirmations()[-1])
    assert read_record(stdout)["status"] == "failed"


def test_a_worker_that_lost_its_session_cannot_write_when_it_comes_back(workers):
    """As one that slept, or that the network had cut off, while the other took over."""
    first, second = workers
    process = start(first, 1)
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    second.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    before = second.committed()
    check_second(second, second.load("--on-running=wait=10", steps=ONE), before)
    state, versions = second.state(), second.versions()

    process.send_signal(signal.SIGCONT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 23, stderr.decode()
    assert read_record(stdout)["error"]["class"] == "lost-lock"
    assert (second.state(), second.versions()) == (state, versions)
