"""What is left when Airflow ends a task, or dies itself, in the middle of a load: nothing runs on,
nothing is lost, and the next attempt is not kept waiting."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support.airflow import AirflowServer
from support.examples import environment
from support.paths import MELTSHIM
from support.servers import wait_until

STATE_ID = "dev:tap-to-target"


class SlowProject:
    """Loads ten records a second, for half a minute."""

    def __init__(self, folder: Path):
        self.root = Path(shutil.copytree(Path(__file__).parent / "projects" / "slow", folder))
        self.dags = folder.parent / "dags"

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [MELTSHIM, *arguments],
            cwd=self.root,
            env=environment(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )

    def generate_dags(self) -> Path:
        self.run("airflow", "generate", "--output", str(self.dags))
        return self.dags

    def dag(self) -> str:
        listed = self.run("airflow", "list", "--format=json").stdout
        return json.loads(listed)["dags"][0]["dag_id"]

    def ticks(self) -> list[int]:
        file = self.root / "output" / "ticks"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def bookmark(self) -> int:
        return json.loads(self.run("state", "get", STATE_ID).stdout)["singer_state"]["id"]

    def plugin_processes(self) -> list[int]:
        """Every process that runs one of the project's plugins."""
        programs = f"{self.root}/bin/"
        return [process.pid for process in processes() if programs in process.command]

    def main_processes(self) -> list[int]:
        """Every run of ours in this project: those that were not started by another of ours."""
        ours = [
            process
            for process in processes()
            if process.executable == MELTSHIM.resolve() and process.cwd == self.root
        ]
        pids = {process.pid for process in ours}
        return [process.pid for process in ours if process.parent not in pids]

    def is_quiet(self) -> bool:
        return not self.main_processes() and not self.plugin_processes()


@dataclasses.dataclass
class Process:
    pid: int
    parent: int
    command: str
    cwd: Path
    executable: Path


def processes() -> list[Process]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            cwd, executable = (Path(os.readlink(entry / link)) for link in ("cwd", "exe"))
        except OSError:
            continue  # it has ended meanwhile, or is the kernel's
        found.append(Process(int(entry.name), int(status[1]), command, cwd, executable))
    return found


@pytest.fixture
def slow(meltshim, tmp_path):
    return SlowProject(tmp_path / "slow")


def start_and_wait_for_records(airflow, project) -> tuple[str, str]:
    dag = project.dag()
    run = airflow.trigger(dag)["dag_run_id"]
    wait_until(lambda: len(project.ticks()) >= 10, "ten records", 60)
    assert len(project.plugin_processes()) == 2
    return dag, run


def test_a_task_marked_as_failed_ends_cleanly(slow, tmp_path):
    with AirflowServer(tmp_path / "airflow", slow.generate_dags()) as airflow:
        dag, run = start_and_wait_for_records(airflow, slow)
        task = airflow.task_instances(dag, run)[0]["task_id"]
        airflow.get(
            f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}",
            {"new_state": "failed"},
            method="PATCH",
        )
        # Airflow tells the task at its next heartbeat (5 s); we have 5 s after that.
        wait_until(slow.is_quiet, "plugins and program are gone", 20)
        ticks = slow.ticks()
        assert ticks == list(range(1, len(ticks) + 1))
        assert slow.bookmark() == len(ticks), "what the target has, and no more, is remembered"

    done = slow.run("run", "tap", "target", TAP_RECORDS=str(len(ticks) + 2))
    assert json.loads(done.stdout.splitlines()[-1])["status"] == "success"
    assert slow.ticks() == list(range(1, len(ticks) + 3))


def test_a_killed_scheduler_costs_no_record(slow, tmp_path):
    with AirflowServer(tmp_path / "airflow", slow.generate_dags()) as airflow:
        dag, run = start_and_wait_for_records(airflow, slow)
        airflow.restart_scheduler(signal.SIGKILL)
        finished = airflow.wait_for_run(dag, run, 240)
        assert finished["state"] == "success"
        # At least once: an attempt that was ended may have sent what its successor sends again.
        assert sorted(set(slow.ticks())) == list(range(1, 301))
        assert slow.bookmark() == 300
        wait_until(slow.is_quiet, "plugins and program are gone", 20)


def test_a_killed_program_leaves_nothing_behind(slow, tmp_path):
    """As the kernel does when memory runs out."""
    with AirflowServer(tmp_path / "airflow", slow.generate_dags()) as airflow:
        dag, run = start_and_wait_for_records(airflow, slow)
        (pid,) = slow.main_processes()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not slow.plugin_processes(), "the plugins are gone", 10)
        finished = airflow.wait_for_run(dag, run, 240)
        assert finished["state"] == "success", "the retry is not kept waiting by a dead run's lock"
        assert sorted(set(slow.ticks())) == list(range(1, 301))
        assert slow.bookmark() == 300
