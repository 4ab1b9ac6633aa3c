"""A real Airflow for tests: one task run in the foreground, or the whole set with its REST API.

    with AirflowServer(home, dags_folder) as airflow:
        run = airflow.run_dag("flights-daily")
        record = airflow.xcom("flights-daily", run["dag_run_id"], "load")
"""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from support.paths import BUILD, venv_bin
from support.servers import end_session, free_port, stop, wait_until

FINISHED = ("success", "failed")


def airflow_environment(home: Path, dags_folder: Path, venv: str = "airflow") -> dict[str, str]:
    """What every Airflow process of one installation is started with, and so what tasks inherit."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "_AIRFLOW", "MELTANO", "MELTSHIM", "SHLVL"))
    }
    return {
        **inherited,
        "PATH": os.pathsep.join([str(venv_bin(venv)), str(BUILD), inherited.get("PATH", "")]),
        "SHLVL": "1",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "2",
    }


class Airflow:
    """An installation of its own (metadata in SQLite unless told otherwise), without servers."""

    def __init__(self, home: Path, dags_folder: Path, database_uri: str | None = None,
                 venv: str = "airflow"):
        self.home = Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.env = airflow_environment(self.home, dags_folder, venv)
        if database_uri:
            self.env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = database_uri
        self.program = str(venv_bin(venv) / "airflow")
        self._is_migrated = False
        self._processes: dict[str, subprocess.Popen] = {}
        self._sessions: list[int] = []

    def command(self, *arguments: str, timeout_s: float = 180) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.program, *arguments],
            env=self.env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
        )

    def migrate(self) -> None:
        if self._is_migrated:
            return
        done = self.command("db", "migrate")
        if done.returncode:
            raise RuntimeError(f"airflow db migrate failed:\n{done.stdout}")
        self._is_migrated = True

    def test_dag(self, dag_id: str) -> subprocess.CompletedProcess:
        """Runs all tasks of one DAG in the foreground; 0 when every one succeeded."""
        self.migrate()
        return self.command("dags", "test", dag_id)

    def spawn(self, name: str) -> None:
        with open(self.home / f"{name}.log", "ab") as log:
            self._processes[name] = subprocess.Popen(
                [self.program, name],
                env=self.env,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._sessions.append(self._processes[name].pid)

    def stop_all(self) -> None:
        """The last one that was started first. The workers of a scheduler that was killed stay."""
        for name in reversed(list(self._processes)):
            stop(self._processes.pop(name))
        while self._sessions:
            end_session(self._sessions.pop())

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def restart_scheduler(self, sig: int = signal.SIGKILL) -> None:
        stop(self._processes.pop("scheduler"), sig)
        self.spawn("scheduler")

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(errors="replace")


class AirflowServer(Airflow):
    """api-server, dag-processor and scheduler, started in the order that lets no task come before
    the API that it reports to."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env.update({
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        })
        self._token = ""

    def __enter__(self) -> "AirflowServer":
        try:
            self.migrate()
            self.spawn("api-server")
            self.spawn("dag-processor")
            wait_until(self._api_answers, f"Airflow's API (logs: {self.home})", 90, 0.2)
            self._token = self.get("/auth/token", method="GET")["access_token"]
            self.spawn("scheduler")
            return self
        except BaseException:
            self.stop_all()
            raise

    def __exit__(self, *_):
        self.stop_all()

    def _api_answers(self) -> bool:
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"airflow {name} ended early:\n{self.log(name)[-4000:]}")
        try:
            self.get("/api/v2/version")
            return True
        except OSError:
            return False

    def get(self, path: str, body: dict | None = None, method: str | None = None):
        """One call of the REST API; a body makes it a POST."""
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def wait_for_dag(self, dag_id: str) -> dict:
        def known():
            errors = self.get("/api/v2/importErrors")["import_errors"]
            if errors:
                raise RuntimeError(errors[0]["stack_trace"])
            try:
                return self.get(f"/api/v2/dags/{dag_id}")
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
                return None

        return wait_until(known, f"DAG '{dag_id}' is listed", 90, 0.5)

    def trigger(self, dag_id: str) -> dict:
        """Starts a run. A DAG with a schedule starts one itself when it is unpaused, for the last
        tick that has passed; a second one would come in its way."""
        runs = f"/api/v2/dags/{dag_id}/dagRuns"
        dag = self.wait_for_dag(dag_id)
        if dag["is_paused"]:
            self.get(f"/api/v2/dags/{dag_id}", {"is_paused": False}, method="PATCH")
            if dag["timetable_summary"]:
                what = f"a scheduled run of DAG '{dag_id}'"
                return wait_until(lambda: self.get(runs)["dag_runs"], what, 60, 0.5)[0]
        return self.get(runs, {"logical_date": None})

    def wait_for_run(self, dag_id: str, run_id: str, timeout_s: float = 300) -> dict:
        def finished():
            run = self.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")
            return run if run["state"] in FINISHED else None

        return wait_until(finished, f"run '{run_id}' of DAG '{dag_id}'", timeout_s, 0.5)

    def run_dag(self, dag_id: str, timeout_s: float = 300) -> dict:
        run = self.trigger(dag_id)
        return self.wait_for_run(dag_id, run["dag_run_id"], timeout_s)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict]:
        """In the order in which they were started."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        return sorted(self.get(path)["task_instances"], key=lambda task: task["start_date"] or "~")

    def succeed(self, dag_id: str) -> list[str]:
        """Runs the DAG; the last line that each of its tasks printed."""
        run = self.run_dag(dag_id)
        run_id = run["dag_run_id"]
        tasks = [task["task_id"] for task in self.task_instances(dag_id, run_id)]
        if run["state"] != "success":
            logs = [self.task_log(dag_id, run_id, task) for task in tasks]
            raise AssertionError(f"DAG '{dag_id}' ended as {run['state']}:\n" + "\n".join(logs))
        return [self.xcom(dag_id, run_id, task) for task in tasks]

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> str:
        """The last line that the task printed."""
        return self.get(
            f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
            "/xcomEntries/return_value"
        )["value"]

    def task_log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1) -> str:
        answer = self.get(
            f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        )
        lines = []
        for entry in answer["content"]:
            lines.append(entry if isinstance(entry, str) else entry.get("event", ""))
        return "\n".join(lines)
