"""Two workers of the CeleryExecutor, each with an Airflow home, a DAG folder and a copy of the
project of its own, as on two machines; what they share is PostgreSQL."""

import contextlib
import json
import os
import shutil
import signal
import subprocess

import pytest

from faults.lab import Lab
from support.airflow import AirflowServer
from support.servers import free_port, stop, wait_until

ENDLESS = [["schema", "users"], ["counted", "users", 10**9, 1, 0.01]]
ONE = [["schema", "users"], ["counted", "users", 1, 1]]
SETTINGS = {
    "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    # Shorter than Airflow's own, so that the death of a worker is noticed within a test.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
}


def children(pid: int) -> list[int]:
    """All that descend from a process."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                for child in map(int, file.read().split()):
                    found += [child, *children(child)]
    return found


def name_of(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/comm") as file:
        return file.read().strip()
    return ""


class Worker:
    def __init__(self, name: str, airflow, lab: Lab, steps):
        self.name = name
        self.lab = lab
        self.home = lab.root / "airflow"
        lab.prepare(steps)
        project = json.loads((lab.root / "meltano.yml").read_text())
        project["jobs"] = [{"name": "load", "tasks": ["tap-a target-b"]}]
        project["schedules"] = [{"name": "load", "interval": "@manual", "job": "load"}]
        project["annotations"] = {"meltshim": {"airflow": {
            "retries": 1, "retry_delay": 1, "queue": "loads", "is_paused_upon_creation": False}}}
        (lab.root / "meltano.yml").write_text(json.dumps(project))
        self.dags = lab.root / "dags"
        done = lab.run("airflow", "generate", "--output", str(self.dags))
        assert done.status == 0, done.stderr
        self.airflow = airflow
        self.process = None

    def start(self) -> None:
        self.home.mkdir()
        # The secrets that all processes of an Airflow share.
        shutil.copy(self.airflow.home / "airflow.cfg", self.home)
        with open(self.home / "worker.log", "wb") as log:
            self.process = subprocess.Popen(
                [self.airflow.program, "celery", "worker", "--concurrency=1", "--queues=loads",
                 f"--celery-hostname={self.name}@%h", "--without-gossip", "--without-mingle"],
                env={**self.airflow.env, **self.lab.env, "PATH": self.airflow.env["PATH"],
                     "AIRFLOW_HOME": str(self.home),
                     "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
                     "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port())},
                cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """All at once, as when the machine is lost; guards then have nobody to guard."""
        tree = [self.process.pid, *children(self.process.pid)]
        for pid in tree:
            if name_of(pid) != "plugin-guard":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            stop(self.process)
        self.lab.end_survivors()


@pytest.fixture
def airflow(tmp_path, postgres):
    """Metadata, broker and results in PostgreSQL."""
    metadata = postgres.create_database("celery_metadata").replace("://", "+psycopg2://", 1)
    broker = postgres.create_database("celery_broker").replace("://", "+psycopg2://", 1)
    (tmp_path / "first").mkdir()
    server = AirflowServer(tmp_path / "airflow", tmp_path / "first" / "dags",
                           database_uri=metadata, venv="executors")
    server.env.update({
        **SETTINGS,
        "AIRFLOW__CELERY__BROKER_URL": f"sqla+{broker}",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{metadata}",
    })
    return server


def test_another_worker_goes_on_where_a_lost_one_was(airflow, tmp_path, postgres, meltshim):
    uri = postgres.create_database("celery_meltano")
    first = Worker("first", airflow, Lab(tmp_path / "first", meltshim, uri), ENDLESS)
    (tmp_path / "second").mkdir()
    second = Worker("second", airflow, Lab(tmp_path / "second", meltshim, uri), ONE)
    with airflow:
        try:
            first.start()
            run = airflow.trigger("load")
            wait_until(lambda: first.lab.has_tables() and first.lab.committed() > 0,
                       f"a first checkpoint (logs: {first.home})", 120, 0.5)
            second.start()
            first.kill()
            first.lab.wait_until_gone(10)
            saved = second.lab.committed()
            ended = airflow.wait_for_run("load", run["dag_run_id"])
            log = airflow.task_log("load", run["dag_run_id"], "tap_a_target_b", 2)
            assert ended["state"] == "success", log
            record = json.loads(airflow.xcom("load", run["dag_run_id"], "tap_a_target_b"))
        finally:
            first.stop()
            second.stop()
    assert record["trigger"]["try_number"] in (2, "2")
    newest, killed = json.loads(second.lab.run("runs", "list", "--format=json").stdout)["runs"]
    assert newest["run_id"] == record["run_id"]
    assert "ended without closing its run" in killed["error"]["message"]
    assert (killed["trigger"]["dag_run_id"], killed["trigger"]["try_number"]) == (
        run["dag_run_id"], "1"
    )
    assert second.lab.loaded() == [saved + 1] == [second.lab.committed()]
    assert second.lab.row_states() == ["FAIL", "SUCCESS"]
    assert second.lab.survivors() == []
