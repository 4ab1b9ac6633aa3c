"""Tasks under a running Airflow: a LocalExecutor, PostgreSQL for its metadata, a DAG file that
meltshim wrote for each project, and plugins that do as they are told."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
import uuid
from pathlib import Path

from faults.lab import MARK, Lab
from support.airflow import Airflow, AirflowServer
from support.servers import wait_until

RUN = "tap-a target-b"
TASK = "tap_a_target_b"
# On a busy machine Airflow takes its time; nothing here waits for longer than it has to.
PATIENCE_S = 150

# Shorter than Airflow's own, so that what it notices by waiting is noticed within a test.
COMMON_SETTINGS = {
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__PARALLELISM": "24",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
}


class Airflow3(AirflowServer):
    SETTINGS = {
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    }

    def mark_failed(self, dag_id: str, run_id: str, task_id: str) -> None:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        self.get(path, {"new_state": "failed"}, method="PATCH")

    def clear(self, dag_id: str) -> None:
        body = {"dry_run": False, "reset_dag_runs": True, "only_failed": False}
        self.get(f"/api/v2/dags/{dag_id}/clearTaskInstances", body)


class Airflow2(Airflow):
    """A scheduler is all that it takes."""

    SETTINGS = {
        "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "20",
        "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "2",
        "AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "2",
        "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "5",
    }

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, venv="airflow2", **options)
        self.env["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"] = "0"

    def __enter__(self):
        self.migrate()
        self.spawn("scheduler")
        return self

    def __exit__(self, *_):
        self.stop_all()

    def mark_failed(self, dag_id: str, run_id: str, task_id: str) -> None:
        """What its web server does; there is no command for it."""
        code = (
            "import sys; from airflow.models.dagbag import DagBag;"
            " dag, run, task = sys.argv[1:];"
            " DagBag(read_dags_from_db=True).get_dag(dag).set_task_instance_state("
            "task_id=task, run_id=run, state='failed', commit=True)"
        )
        python = Path(self.program).with_name("python")
        subprocess.run([python, "-c", code, dag_id, run_id, task_id], env=self.env, cwd=self.home,
                       check=True, timeout=180)

    def clear(self, dag_id: str) -> None:
        done = self.command("tasks", "clear", "--yes", dag_id)
        assert done.returncode == 0, done.stdout


class Live:
    """An Airflow of one major version with its database."""

    def __init__(self, folder: Path, postgres, version: int):
        self.folder = folder
        self.postgres = postgres
        self.version = version
        # The scheduler of Airflow 2 can take the end of a try for the end of the next one, when that
        # is queued already: 'executor reports task instance finished although it is queued'.
        self.spare_retries = 1 if version == 3 else 3
        self.dags = folder / "dags"
        self.dags.mkdir(parents=True)
        self.database = f"airflow{version}"
        uri = postgres.create_database(self.database).replace("://", "+psycopg2://", 1)
        kind = Airflow3 if version == 3 else Airflow2
        self.airflow = kind(folder / "airflow", self.dags, database_uri=uri)
        self.airflow.env.update({**COMMON_SETTINGS, **kind.SETTINGS})
        # As systemd and containers start it, but over SSH.
        del self.airflow.env["SHLVL"]
        self.airflow.env["SSH_CLIENT"] = "127.0.0.1 50000 22"
        self.airflow.env["HOME"] = str(folder)
        self._has_settled = threading.Event()
        self._is_up = False

    def __enter__(self) -> "Live":
        try:
            self.airflow.__enter__()
            self._is_up = True
        finally:
            self._has_settled.set()
        return self

    def __exit__(self, *exception):
        self.airflow.__exit__(*exception)

    def query(self, sql: str) -> list[list[str]]:
        rows = self.postgres.psql(sql, self.database).splitlines()
        return [row.split("|") for row in rows]

    def start_dag(self, dag_id: str) -> None:
        """Unpauses it: it then runs at once, for its last tick."""
        def is_known():
            return self.query(
                f"UPDATE dag SET is_paused = false WHERE dag_id = '{dag_id}' RETURNING dag_id"
            )

        self._has_settled.wait()
        assert self._is_up, "Airflow did not start"
        wait_until(is_known, f"DAG '{dag_id}' is known ({self.folder})", PATIENCE_S, 0.5)

    def attempts(self, dag_id: str, task_id: str = TASK) -> tuple[str, int]:
        """The state of the task and the number of its last attempt."""
        rows = self.query(
            "SELECT coalesce(state, ''), try_number FROM task_instance"
            f" WHERE dag_id = '{dag_id}' AND task_id = '{task_id}'"
        )
        return (rows[0][0], int(rows[0][1])) if rows else ("", 0)

    def wait_for_state(self, dag_id: str, state: str, attempt: int = 0,
                       task_id: str = TASK) -> None:
        def reached():
            now, number = self.attempts(dag_id, task_id)
            if now == state and number >= attempt:
                return True
            # One that ended otherwise will not come there any more.
            assert now not in {"success", "failed", "skipped"} - {state} or number < attempt, (
                f"{dag_id}.{task_id}, attempt {number}, ended as {now}:\n"
                + self.log(dag_id, number, task_id)
            )
            return False

        wait_until(reached, f"{dag_id}.{task_id} is {state} ({self.folder})", PATIENCE_S, 0.3)

    def wait_for_run(self, dag_id: str, state: str) -> None:
        """Of the DAG. A task that is cleared before that can be left behind in a run that ends."""
        sql = f"SELECT 1 FROM dag_run WHERE dag_id = '{dag_id}' AND state = '{state}'"
        what = f"the run of {dag_id} is {state} ({self.folder})"
        wait_until(lambda: self.query(sql), what, PATIENCE_S, 0.3)

    def run_id(self, dag_id: str) -> str:
        return self.query(f"SELECT run_id FROM dag_run WHERE dag_id = '{dag_id}'")[0][0]

    def log(self, dag_id: str, attempt: int = 1, task_id: str = TASK) -> str:
        """The task log as Airflow's users see it; in 3.x the file holds an object a line."""
        pattern = f"dag_id={dag_id}/run_id=*/task_id={task_id}/attempt={attempt}.log"
        lines = []
        for file in (self.airflow.home / "logs").glob(pattern):
            for line in file.read_text(errors="replace").splitlines():
                with contextlib.suppress(ValueError):
                    line = json.loads(line)["event"]
                lines.append(line)
        return "\n".join(lines)

    def xcom(self, dag_id: str, task_id: str = TASK) -> str:
        """What a following task would get from ti.xcom_pull()."""
        column = "value" if self.version == 3 else "convert_from(value, 'UTF8')"
        (row,) = self.postgres.psql(
            f"SELECT {column} FROM xcom WHERE dag_id = '{dag_id}' AND task_id = '{task_id}'"
            " AND key = 'return_value'", self.database,
        ).splitlines()
        text = json.loads(row)
        # Airflow 3 keeps the JSON of a JSON text.
        return text if isinstance(text, str) and text.startswith("{") else json.loads(text)


class Task:
    """A project, its DAG with a task that loads, and what became of both."""

    def __init__(self, live: Live, name: str, meltshim: Path, uses_postgres: bool):
        self.live = live
        self.name = name
        self.root = live.folder / name
        self.root.mkdir()
        self.release = self.root / "release"
        # Meltano's system database, that is; Airflow's metadata are in PostgreSQL in any case.
        database = f"{live.database}-{name}"
        uri = live.postgres.create_database(database) if uses_postgres else None
        self.lab = Lab(self.root, meltshim, uri)

    def generate(self, steps, target=None, airflow=None, env=None, more_tasks=()) -> None:
        self.lab.prepare(steps, target)
        file = self.root / "meltano.yml"
        project = json.loads(file.read_text())
        if self.lab.database_uri:
            project["database_uri"] = self.lab.database_uri
        project["plugins"]["utilities"] = [
            {"name": "note", "namespace": "note", "executable": "./note",
             "commands": {"streams": ""}}
        ]
        project["jobs"] = [{"name": "load", "tasks": [RUN, *more_tasks]}]
        project["schedules"] = [{
            "name": self.name,
            "interval": "0 0 1 1 *",
            "job": "load",
            "env": {MARK: self.lab.mark, **(env or {})},
            "annotations": {"meltshim": {"airflow": {
                "retries": 0, "retry_delay": "1s", **(airflow or {}),
            }}},
        }]
        file.write_text(json.dumps(project, indent=2) + "\n")
        note = self.root / "note"
        note.write_text('#!/bin/sh\nprintf "%s" "$STREAMS" >note.txt\n')
        note.chmod(0o755)
        done = self.lab.run("airflow", "generate", "--output", str(self.live.dags / self.name))
        assert done.status == 0, done.stderr

    # --- while it runs ---

    def start(self, records: int = 3) -> None:
        self.live.start_dag(self.name)
        if records:
            self.wait_for_records(records)

    def loaded(self) -> list[int]:
        return self.lab.loaded() if self.lab.output.exists() else []

    def wait_for_records(self, count: int) -> None:
        what = f"{self.name}: {count} records ({self.live.folder})"
        wait_until(lambda: self.state() and len(self.loaded()) >= count, what, PATIENCE_S, 0.1)

    def state(self) -> int:
        """The bookmark that is committed, 0 for none."""
        with contextlib.suppress(sqlite3.OperationalError):  # the database is being made
            return self.lab.committed()
        return 0

    def program(self) -> int:
        """The process that the task runs."""
        ours = [pid for pid in self.lab.survivors() if is_program(pid, self.lab.meltshim)]
        (pid,) = [pid for pid in ours if parent_of(pid) not in ours]
        return pid

    def runner(self) -> int:
        """Airflow's process that started it."""
        return parent_of(self.program())

    def supervisor(self) -> int:
        return parent_of(self.runner())

    def worker(self) -> int:
        """Of Airflow 2; in Airflow 3 it is the supervisor."""
        return parent_of(self.supervisor())

    def finish(self) -> None:
        """Lets the tap come to its end."""
        self.release.touch()

    # --- afterwards ---

    def wait_until_quiet(self) -> None:
        what = f"{self.name}: nothing is left ({self.live.folder})"
        wait_until(lambda: not self.lab.survivors(), what, PATIENCE_S, 0.1)

    def records(self) -> list[dict]:
        """Of every run, the oldest first."""
        listed = json.loads(self.lab.run("runs", "list", "--format=json").stdout)["runs"]
        return sorted(listed, key=lambda run: run["started_at"])

    def statuses(self) -> list[str]:
        return [record["status"] for record in self.records()]

    def check_records(self) -> None:
        """There is one of every run, whoever ended it."""
        rows = self.lab.query("SELECT run_id FROM runs WHERE state <> 'STATE_EDIT'")
        assert {uuid.UUID(str(run_id)) for (run_id,) in rows} <= {
            uuid.UUID(record["run_id"]) for record in self.records()
        }

    def check_state(self) -> None:
        """No loss, and not ahead: what the target confirmed, and no more, is remembered."""
        state, confirmed = self.state(), self.lab.confirmations()[-1]
        assert state == confirmed

    def check_left(self) -> None:
        """Nothing survives, nobody wrote beside another, and the next run starts at once and goes
        on where the last one came to; then there is a record of each."""
        self.wait_until_quiet()
        assert not self.lab.output.with_name(self.lab.output.name + ".two-writers").exists()
        self.finish()
        before, started = self.state(), time.monotonic()
        done = self.lab.run("run", *RUN.split())
        assert done.status == 0, done.stderr
        assert time.monotonic() - started < 10
        assert done.stream("users")["bookmark_before"] == ({"id": before} if before else None)
        self.check_state()
        assert set(self.loaded()) == set(range(1, max(self.loaded()) + 1))
        assert "RUNNING" not in self.lab.row_states()
        self.check_records()
        self.lab.check_wholeness()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def has_ended(pid: int) -> bool:
    """Also when nobody has waited for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def is_program(pid: int, program: Path) -> bool:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe") == str(program.resolve())
    return False


def send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


@contextlib.contextmanager
def suspended(pid: int):
    send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        send(pid, signal.SIGCONT)
