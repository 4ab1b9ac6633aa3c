"""The units of packaging/systemd, as `make install` puts them down, under a real systemd: a project
in /srv with a user of its own, Airflow 3 with LocalExecutor, metadata in PostgreSQL."""

import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml

from support.paths import ROOT, venv_bin
from support.postgres import PASSWORD, USER, PostgresServer
from support.servers import free_port, wait_until
from support.systemd import BASE_UNITS, PROGRAM, UNITS, Systemd, why_not

INSTALLED = "usr/local/lib/systemd/system"
ALL = "meltshim-airflow-all@shop"
API, DAGS, SCHEDULER = (f"meltshim-airflow-{name}@shop"
                        for name in ("api-server", "dag-processor", "scheduler"))
UID = 61234
VENV = "/srv/shop/.meltano/orchestrators/airflow/venv"

# For all services of the test: where their lines go, and the order in which they have ended.
NOTES = """[Service]
StandardOutput=append:/srv/log/%p
ExecStopPost=+/bin/sh -c 'echo %p >>/srv/log/stopped'
"""
# Much less than a running task needs: what meltshim says while it stops is what counts.
LOCAL = """[Service]
TimeoutStopSec=1s
"""
DATABASE = """[Service]
Type=notify
User=postgres
ExecStart={command}
KillSignal=SIGINT
[Install]
WantedBy=multi-user.target
"""
GREETER = """#!/bin/sh
id -un >greeted
while [ -e hold ]; do sleep 0.1; done
"""


def install(root: Path) -> None:
    done = subprocess.run(["make", "-s", "install", f"DESTDIR={root}", "PREFIX=/usr/local"],
                          cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def verify(root: Path) -> str:
    """What systemd has to say about the units below a root."""
    units = [unit.name.replace("@.", "@shop.") for unit in (root / INSTALLED).glob("*.service")]
    assert len(units) == 4
    return subprocess.run(["systemd-analyze", "verify", f"--root={root}", "--man=no", *units],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True).stdout


@pytest.mark.skipif(not PROGRAM.exists(), reason="no systemd here")
def test_systemd_finds_no_fault_with_the_units(tmp_path):
    install(tmp_path)
    base = tmp_path / UNITS
    base.mkdir(parents=True)
    for name in BASE_UNITS:
        shutil.copy(f"/usr/lib/systemd/system/{name}.target", base)
    assert verify(tmp_path) == ""

    common = tmp_path / INSTALLED / "meltshim-airflow-@.service.d" / "meltshim.conf"
    common.write_text(common.read_text().replace("KillMode=mixed", "KilMode=mixed"))
    assert "Unknown key 'KilMode'" in verify(tmp_path)


class Machine:
    """What is installed on it, its project, and its database."""

    def __init__(self, root: Path):
        self.root = root
        self.project = root / "srv" / "shop"
        self.port = free_port()
        self.database = PostgresServer()
        (root / "srv" / "log").mkdir(parents=True)
        install(root)
        self._make_accounts()
        self._make_project()
        self.database.start().create_database("airflow")
        self.database.stop()
        self.systemd = Systemd(root, [(self._launcher(), venv_bin("airflow").parent, VENV)])
        (self.systemd.units / "postgresql.service").write_text(
            DATABASE.format(command=" ".join(self.database.command())))
        # Of two with one name systemd takes one.
        for name, text in (("service.d/notes.conf", NOTES),
                           ("meltshim-airflow-@shop.service.d/local.conf", LOCAL)):
            file = self.systemd.units / name
            file.parent.mkdir()
            file.write_text(text)
        wants = self.systemd.units / "multi-user.target.wants"
        wants.mkdir()
        (wants / "postgresql.service").symlink_to("../postgresql.service")

    def _make_accounts(self) -> None:
        etc = self.root / "etc"
        (etc / "meltshim").mkdir(parents=True)
        for name, line in (("passwd", f"shop:x:{UID}:{UID}::/srv/shop:/bin/sh"),
                           ("group", f"shop:x:{UID}:")):
            (etc / name).write_text(Path(f"/etc/{name}").read_text() + line + "\n")
        secrets = etc / "meltshim" / "shop.env"
        secrets.write_text(f"MELTANO_ENVIRONMENT=prod\nAIRFLOW_DB_PASSWORD={PASSWORD}\n"
                           "MELTANO_AUTO_INSTALL=false\n")
        secrets.chmod(0o600)

    def _launcher(self) -> Path:
        """That of the environment names the place where it was made, which shop may not enter."""
        program = self.root / "launcher" / "bin" / "airflow"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec {VENV}/bin/python -m airflow "$@"\n')
        program.chmod(0o755)
        return program.parent.parent

    def _make_project(self) -> None:
        server = f"127.0.0.1:{self.database.port}"
        (self.project / Path(VENV).relative_to("/srv/shop")).mkdir(parents=True)
        (self.project / "meltano.yml").write_text(yaml.safe_dump({
            "environments": [{"name": "prod"}],
            "plugins": {
                "orchestrators": [{
                    "name": "airflow", "namespace": "airflow", "pip_url": "apache-airflow",
                    "executable": "airflow",
                    "config": {
                        "core": {"dags_are_paused_at_creation": False, "parallelism": 2},
                        "database": {"sql_alchemy_conn":
                                     f"postgresql://{USER}:${{AIRFLOW_DB_PASSWORD}}@{server}/airflow"},
                        "api": {"host": "127.0.0.1", "port": self.port},
                        "logging": {"worker_log_server_port": free_port()},
                    },
                }],
                "utilities": [{"name": "greeter", "namespace": "greeter",
                               "executable": "./greeter", "commands": {"say": "hello"}}],
            },
            "jobs": [{"name": "greet", "tasks": ["greeter:say"]}],
            "schedules": [{"name": "greeting", "interval": "@hourly", "job": "greet"}],
        }, sort_keys=False))
        (self.project / "greeter").write_text(GREETER)
        (self.project / "greeter").chmod(0o755)
        for folder, _, files in os.walk(self.project):
            for name in ["", *files]:
                os.chown(Path(folder, name), UID, UID)

    def log(self, unit: str) -> str:
        file = self.root / "srv" / "log" / unit.split("@")[0]
        return file.read_text(errors="replace") if file.exists() else ""

    def ended(self) -> list[str]:
        return (self.root / "srv" / "log" / "stopped").read_text().split()

    def answers(self) -> bool:
        url = f"http://127.0.0.1:{self.port}/api/v2/version"
        try:
            return urllib.request.urlopen(url, timeout=10).status == 200
        except OSError:
            return False

    def processes(self) -> set[str]:
        """All of the project's user."""
        return set(self.systemd.run("pgrep", f"--uid={UID}").stdout.split())

    def states(self) -> list[str]:
        """Of the tasks so far."""
        return self.database.psql("SELECT state FROM task_instance", "airflow").split()

    def wait_for(self, condition, unit: str, what: str) -> None:
        try:
            wait_until(condition, what, 120, 0.2)
        except TimeoutError as late:
            raise AssertionError(self.log(unit)[-6000:]) from late


@pytest.fixture
def machine(tmp_path):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    made = Machine(tmp_path)
    yield made
    made.systemd.end()
    made.database.close()


def test_a_unit_for_each_process(machine):
    hold = machine.project / "hold"
    hold.touch()
    with machine.systemd as systemd:
        # They start one after the other, each when the one before it is ready.
        systemd.ctl("enable", "--now", API, DAGS, SCHEDULER)
        assert machine.answers(), machine.log(API)
        machine.wait_for((machine.project / "greeted").exists, SCHEDULER, "the task")
        assert (machine.project / "greeted").read_text() == "shop\n"

        # One that is killed comes back alone.
        others = [systemd.show(unit, "MainPID") for unit in (API, SCHEDULER)]
        killed = systemd.kill_main(DAGS)
        machine.wait_for(lambda: systemd.show(DAGS, "NRestarts", "ActiveState") == ["1", "active"],
                         DAGS, "the restart")
        assert systemd.show(DAGS, "MainPID") != [killed]
        assert others == [systemd.show(unit, "MainPID") for unit in (API, SCHEDULER)]

        # Before a reboot the running task is waited for, with all that it needs.
        process = systemd.shut_down()
        machine.wait_for(lambda: "running tasks are waited for" in machine.log(SCHEDULER),
                         SCHEDULER, "the scheduler's end")
        assert machine.ended() == ["meltshim-airflow-dag-processor"]  # the one that was killed
        assert machine.answers()
        hold.unlink()
        assert process.wait(90) == 0
    assert machine.ended()[1:5] == ["meltshim-airflow-scheduler", "meltshim-airflow-dag-processor",
                                    "meltshim-airflow-api-server", "postgresql"]
    machine.database.start()
    assert machine.states() == ["success"]
    machine.database.stop()

    # After it all of them are there again.
    with machine.systemd as systemd:
        for unit in (API, DAGS, SCHEDULER):
            assert systemd.show(unit, "ActiveState", "NRestarts") == ["active", "0"], (
                machine.log(unit)[-4000:])
        assert machine.answers()
        systemd.ctl("stop", API, DAGS, SCHEDULER)
        for unit in (API, DAGS, SCHEDULER):
            assert systemd.show(unit, "ActiveState", "Result") == ["inactive", "success"]
            assert systemd.show(unit, "ExecMainStatus") == ["0"]


def test_one_unit_for_all(machine):
    with machine.systemd as systemd:
        systemd.ctl("start", ALL)
        assert machine.answers(), machine.log(ALL)
        machine.wait_for(lambda: machine.states() == ["success"], ALL, "the task's end")

        # All of them go with the first one, and come back.
        before = machine.processes()
        assert systemd.kill_main(ALL) in before
        machine.wait_for(lambda: systemd.show(ALL, "NRestarts", "ActiveState") == ["1", "active"],
                         ALL, "the restart")
        assert machine.answers()
        assert not before & machine.processes()
        systemd.ctl("stop", ALL)
        assert systemd.show(ALL, "ActiveState", "Result") == ["inactive", "success"]
        assert not machine.processes()
