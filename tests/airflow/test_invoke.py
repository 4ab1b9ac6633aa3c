"""`invoke airflow` from this program and from the Python Meltano, with real Airflows: LocalExecutor,
metadata in PostgreSQL, one generated DAG executed each."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from support.oracle import clean_environment
from support.paths import BUILD, venv_bin
from support.servers import free_port, stop, wait_until

# What Meltano's hub says of the orchestrator, as its lock file has it.
HUB_SETTINGS = [
    ("core.dags_are_paused_at_creation", False),
    ("core.dags_folder", "$MELTANO_PROJECT_ROOT/orchestrate/dags"),
    ("core.load_examples", False),
    ("core.plugins_folder", "$MELTANO_PROJECT_ROOT/orchestrate/plugins"),
    ("core.sql_alchemy_conn",
     "sqlite:///$MELTANO_PROJECT_ROOT/.meltano/orchestrators/airflow/airflow.db"),
    ("webserver.web_server_port", 8080),
]

# Notes each start of the program that it goes before.
COUNTER = """#!/bin/sh
echo "$*" >>"{calls}"
exec "{program}" "$@"
"""


class Project:
    """A project with one schedule, whose Airflow plugin has a locked environment for its own."""

    def __init__(self, root: Path, venv: str, kind: str, plugin: dict, meltshim: Path):
        self.root = root
        self.meltshim = meltshim
        self.kind = kind
        self.calls = root / "calls"
        self.marker = f"AIRFLOW_TEST_PROJECT={root}"
        self.env = clean_environment(
            root,
            PATH=os.pathsep.join([str(BUILD), "/usr/local/bin", "/usr/bin", "/bin"]),
            SHLVL="1",
            AIRFLOW_TEST_PROJECT=str(root),
            AIRFLOW__CORE__PARALLELISM="2",
            AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
            AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=str(free_port()),
            MELTANO_AUTO_INSTALL="false",
        )
        self.port = free_port()
        root.mkdir()
        self._write_project(plugin)
        self._install(venv_bin(venv).parent)

    def _write_project(self, plugin: dict) -> None:
        document = {
            "project_id": "0b8ff1de-7b0c-4a3c-9c2b-1d5f5e0f7a11",  # or Meltano writes one
            "default_environment": "dev",
            "environments": [{"name": "dev"}],
            "plugins": {
                self.kind: [{"name": "airflow", "pip_url": "apache-airflow", **plugin}],
            },
            "jobs": [{"name": "greet", "tasks": ["greeter:say"]}],
            "schedules": [{"name": "greeting", "interval": "@hourly", "job": "greet"}],
        }
        greeter = {"name": "greeter", "namespace": "greeter", "executable": "./greeter",
                   "commands": {"say": "hello"}}
        document["plugins"].setdefault("utilities", []).append(greeter)
        (self.root / "meltano.yml").write_text(yaml.safe_dump(document, sort_keys=False))
        program = self.root / "greeter"
        program.write_text('#!/bin/sh\nwhile [ -e hold ]; do sleep 0.1; done\necho "$1" >greeted\n')
        program.chmod(0o755)
        lock = {"plugin_type": "orchestrators", "name": "airflow", "namespace": "airflow",
                "variant": "apache", "label": "Airflow", "pip_url": "apache-airflow",
                "settings": [
                    {"name": name, "value": value,
                     "env": "AIRFLOW__" + name.upper().replace(".", "__")}
                    for name, value in HUB_SETTINGS
                ]}
        locks = self.root / "plugins" / "orchestrators"
        locks.mkdir(parents=True)
        (locks / "airflow--apache.lock").write_text(json.dumps(lock))

    def _install(self, venv: Path) -> None:
        """Links, and not the environment itself: who installs into it must not change that one."""
        own = self.root / ".meltano" / self.kind / "airflow" / "venv"
        (own / "bin").mkdir(parents=True)
        (own / "lib").symlink_to(venv / "lib")
        for program in ("python", "python3"):
            (own / "bin" / program).symlink_to(venv / "bin" / program)
        airflow = own / "bin" / "airflow"
        airflow.write_text(COUNTER.format(calls=self.calls, program=venv / "bin" / "airflow"))
        airflow.chmod(0o755)

    def started(self) -> list[str]:
        """How Airflow was started so far."""
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def command(self, *words: str, program: Path | None = None, **extra: str):
        return subprocess.run(
            [program or self.meltshim, *words], cwd=self.root, env={**self.env, **extra},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=180,
        )

    def start(self, *words: str, program: Path | None = None) -> subprocess.Popen:
        """In a session of its own, as from a terminal."""
        with open(self.root / "out", "wb") as out, open(self.root / "err", "wb") as err:
            return subprocess.Popen(
                [program or self.meltshim, *words], cwd=self.root, env=self.env,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )

    def said(self) -> str:
        return (self.root / "out").read_text(errors="replace") + (
            self.root / "err").read_text(errors="replace")

    def processes(self) -> list[int]:
        """All that was started for this project, wherever it went."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if self.marker.encode() in environment and state != "Z":
                found.append(int(entry.name))
        return found

    def pid_of(self, words: str) -> int | None:
        """Of `airflow WORDS` itself, not of who started it."""
        for pid in self.processes():
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if line.rstrip().endswith(f"airflow {words}") and " invoke " not in line:
                return pid
        return None

    def wait_until_nothing_is_left(self) -> None:
        wait_until(lambda: not self.processes(), f"the end of all processes:\n{self.said()}", 30)


@pytest.fixture(scope="module")
def databases(postgres):
    count = 0

    def make() -> str:
        nonlocal count
        count += 1
        return postgres.create_database(f"metadata{count}")

    return make


@pytest.fixture
def make_project(tmp_path, meltshim):
    made = []

    def make(venv: str, kind: str, plugin: dict) -> Project:
        made.append(Project(tmp_path / "project", venv, kind, plugin, meltshim))
        return made[-1]

    yield make
    for project in made:
        for pid in project.processes():
            os.kill(pid, signal.SIGKILL)


def wait_for_run(project: Project, postgres, database: str, started: subprocess.Popen) -> None:
    """The DAG is not paused, so its last tick runs by itself."""
    name = database.rsplit("/", 1)[1]

    def state():
        assert started.poll() is None, project.said()[-6000:]
        tables = postgres.psql("SELECT to_regclass('dag_run') IS NOT NULL", name).strip()
        states = postgres.psql("SELECT state FROM dag_run", name).split() if tables == "t" else []
        assert "failed" not in states, project.said()[-6000:]
        return "success" in states

    try:
        wait_until(state, "a run of the DAG", 150, 0.5)
    except TimeoutError as late:
        raise AssertionError(project.said()[-6000:]) from late
    assert (project.root / "greeted").read_text() == "hello\n"


# Now and then a scheduler does not end by itself when its executor is just at work.
STOP_TIMEOUT = {"meltshim_stop_timeout": "20s"}


def hub_plugin(database: str, port: int) -> dict:
    """The settings that the hub's definition knows, by their old names."""
    return {"variant": "apache", **STOP_TIMEOUT,
            "config": {"core": {"executor": "LocalExecutor", "sql_alchemy_conn": database},
                       "webserver": {"web_server_port": port}}}


def own_plugin(database: str, port: int) -> dict:
    """A definition of the project's own, with the names of today."""
    return {"namespace": "airflow", "executable": "airflow", **STOP_TIMEOUT,
            "config": {"core": {"dags_are_paused_at_creation": False},
                       "database": {"sql_alchemy_conn": database}, "api": {"port": port}}}


def test_a_scheduler_of_airflow_3_brings_all_that_it_needs(make_project, databases, postgres):
    database, port = databases(), free_port()
    project = make_project("airflow", "orchestrators", hub_plugin(database, port))

    first = project.start("invoke", "airflow", "scheduler")
    wait_for_run(project, postgres, database, first)
    assert project.started() == ["db migrate", "api-server", "dag-processor", "scheduler"]
    config = project.root / ".meltano/airflow/airflow.cfg"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    for name in ("fernet_key", "secret_key", "jwt_secret"):
        secret = next(line.split(" = ")[1] for line in config.read_text().splitlines()
                      if line.startswith(name))
        assert secret not in project.said()
    # No transaction of ours is left open meanwhile.
    assert postgres.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
                         "'%meltshim%' AND state LIKE 'idle in%'").strip() == "0"
    assert stop(first, signal.SIGTERM, 60) == 0, project.said()[-4000:]
    project.wait_until_nothing_is_left()

    # Nothing has changed, so only the three are started; one that dies ends the others.
    before = len(project.started())
    second = project.start("invoke", "airflow", "scheduler")
    wait_until(lambda: project.pid_of("scheduler"), "the scheduler", 60)
    assert project.started()[before:] == ["api-server", "dag-processor", "scheduler"]
    os.kill(project.pid_of("dag-processor"), signal.SIGKILL)
    assert second.wait(60) != 0
    assert "Airflow dag-processor ended by itself (signal 9 (SIGKILL)" in project.said()
    project.wait_until_nothing_is_left()

    # Killed without a word, we leave nothing behind either.
    third = project.start("invoke", "airflow", "scheduler")
    wait_until(lambda: project.pid_of("scheduler"), "the scheduler", 60)
    third.kill()
    third.wait()
    project.wait_until_nothing_is_left()


def test_other_commands_pass_through(make_project, databases):
    database, port = databases(), free_port()
    # As the hub has the utility; the extension that it names is not installed.
    plugin = {**own_plugin(database, port), "executable": "airflow_invoker",
              "commands": {"which": "version"}}
    project = make_project("airflow", "utilities", plugin)

    assert project.command("invoke", "airflow:which").stdout == "3.3.2\n"
    done = project.command("invoke", "airflow", "version")
    assert (done.returncode, done.stdout) == (0, "3.3.2\n"), done.stderr
    assert project.started() == ["version", "version"]
    assert project.command("invoke", "airflow", "nonsense").returncode == 2
    assert project.started()[2:] == ["db migrate", "nonsense"]
    done = project.command("invoke", "airflow", "config", "get-value", "core", "executor")
    assert done.stdout.splitlines()[-1] == "LocalExecutor"
    assert project.started()[4:] == ["config get-value core executor"]


@pytest.mark.parametrize(("venv", "kind", "plugin"), [
    ("airflow", "orchestrators", hub_plugin),
    ("airflow2", "orchestrators", hub_plugin),
    ("airflow2", "utilities", own_plugin),
])
def test_the_python_meltano_starts_airflow_through_us(make_project, databases, postgres, venv,
                                                      kind, plugin):
    database, port = databases(), free_port()
    project = make_project(venv, kind, plugin(database, port))
    meltano = venv_bin("meltano") / "meltano"
    before = (project.root / "meltano.yml").read_text()

    shown = project.command("airflow", "adopt", "--yes")
    assert shown.returncode == 0, shown.stderr
    assert "meltshim-airflow" in shown.stdout
    done = project.command("invoke", "airflow", "version", program=meltano)
    version = {"airflow": "3.3.2", "airflow2": "2.11.2"}[venv]
    assert done.stdout == f"{version}\n", done.stderr
    started = project.start("invoke", "airflow", "scheduler", program=meltano)
    wait_for_run(project, postgres, database, started)
    assert project.started().count("db migrate") == 1
    if kind == "orchestrators" and venv == "airflow2":
        os.killpg(started.pid, signal.SIGINT)  # Ctrl-C reaches the whole foreground group
        assert started.wait(60) == 1
    else:
        assert stop(started, signal.SIGTERM, 60) == 0, project.said()[-4000:]
    project.wait_until_nothing_is_left()
    assert project.command("airflow", "adopt", "--undo", "--yes").returncode == 0
    assert (project.root / "meltano.yml").read_text() == before


def test_airflow_2_needs_no_adopting_by_the_python_meltano(make_project, databases, postgres):
    database, port = databases(), free_port()
    project = make_project("airflow2", "orchestrators", hub_plugin(database, port))

    assert project.command("airflow", "generate").returncode == 0
    meltano = venv_bin("meltano") / "meltano"
    started = project.start("invoke", "airflow", "scheduler", program=meltano)
    wait_for_run(project, postgres, database, started)
    assert stop(started, signal.SIGTERM, 60) == 0, project.said()[-4000:]
    project.wait_until_nothing_is_left()


def use_the_hub(project: Project, hub) -> None:
    """The definition that the hub has, in place of ours."""
    shutil.rmtree(project.root / "plugins")
    project.env["MELTANO_HUB_URL"] = hub.url
    done = project.command("lock", "airflow")
    assert done.returncode == 0, done.stderr
    assert (project.root / "plugins" / project.kind / "airflow--apache.lock").exists()


@pytest.mark.parametrize("venv", ["airflow", "airflow2"])
@pytest.mark.parametrize("kind", ["orchestrators", "utilities"])
def test_the_executor_is_set_in_three_ways(make_project, hub, venv, kind):
    project = make_project(venv, kind, {"variant": "apache"})
    use_the_hub(project, hub)

    def executor(**variables: str) -> str:
        done = project.command("invoke", "airflow", "config", "get-value", "core", "executor",
                               **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    for words, name in ((["airflow", "set"], "CeleryExecutor"),
                        (["set", "airflow"], "LocalExecutor")):
        done = project.command("config", *words, "core.executor", name)
        assert done.returncode == 0, done.stderr
        assert executor() == name
    assert executor(AIRFLOW__CORE__EXECUTOR="CeleryExecutor") == "CeleryExecutor"


def make_utility(make_project, hub, venv: str, database: str) -> Project:
    """With the hub's definition, set up by commands."""
    project = make_project(venv, "utilities", {"variant": "apache", **STOP_TIMEOUT})
    use_the_hub(project, hub)
    port = "api.port" if venv == "airflow" else "webserver.web_server_port"
    for words in (["database.sql_alchemy_conn", database], ["core.executor", "LocalExecutor"],
                  [port, str(free_port())]):
        done = project.command("config", "airflow", "set", *words)
        assert done.returncode == 0, done.stderr
    return project


def test_the_utility_of_the_hub_runs_a_dag(make_project, hub, databases, postgres):
    database = databases()
    project = make_utility(make_project, hub, "airflow2", database)

    started = project.start("invoke", "airflow", "scheduler")
    wait_for_run(project, postgres, database, started)
    assert stop(started, signal.SIGTERM, 60) == 0, project.said()[-4000:]
    project.wait_until_nothing_is_left()
    assert (project.root / "orchestrate/airflow/dags/greeting.py").exists()


# One record a run: where it begins shows whether the state was found.
TAP = """#!/bin/sh
at=0
while [ $# -gt 0 ]; do
    [ "$1" = --state ] && at=$(tr -dc 0-9 <"$2")
    shift
done
echo '{"type":"SCHEMA","stream":"s","schema":{"properties":{"id":{}}},"key_properties":["id"]}'
echo '{"type":"RECORD","stream":"s","record":{"id":'$((at + 1))'}}'
echo '{"type":"STATE","value":{"at":'$((at + 1))'}}'
"""
TARGET = """#!/bin/sh
while read -r line; do
    case $line in
    *RECORD*) echo "$line" >>loaded ;;
    *STATE*) line=${line#*'"value":'}; echo "${line%\\}}" ;;
    esac
done
"""


def use_a_stock_generator(project: Project) -> Path:
    """A project that loads something, with the generator where the bundle or the extension has it."""
    path = project.root / "meltano.yml"
    document = yaml.safe_load(path.read_text())
    document["plugins"]["extractors"] = [{"name": "tap-a", "namespace": "tap_a",
                                          "executable": "./tap", "capabilities": ["state"]}]
    document["plugins"]["loaders"] = [{"name": "target-b", "namespace": "target_b",
                                       "executable": "./target"}]
    document["jobs"][0]["tasks"].append("tap-a target-b")
    # One run only, whatever the hour.
    document["schedules"][0]["interval"] = "0 0 1 1 *"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    for name, text in (("tap", TAP), ("target", TARGET)):
        (project.root / name).write_text(text)
        (project.root / name).chmod(0o755)
    generator = project.root / "orchestrate" / {
        "orchestrators": "dags/meltano.py",
        "utilities": "airflow/dags/meltano_dag_generator.py",
    }[project.kind]
    generator.parent.mkdir(parents=True)
    shutil.copy(Path(__file__).parent / "stock" / "generator.py", generator)
    project.env["STYLE"] = "extension"
    return generator


@pytest.mark.parametrize("version", [3, 2])
def test_the_history_of_a_stock_generator_goes_on(make_project, hub, databases, postgres, version):
    database = databases()
    name = database.rsplit("/", 1)[1]
    if version == 3:
        project = make_utility(make_project, hub, "airflow", database)
        program = None
    else:
        plugin = hub_plugin(database, free_port())
        project = make_project("airflow2", "orchestrators", plugin)
        program = venv_bin("meltano") / "meltano"  # the Python one, as before the change
    generator = use_a_stock_generator(project)
    dag = "meltano_greeting_greet"

    def history() -> str:
        return postgres.psql("SELECT dag_id, count(*), min(state), max(state) FROM dag_run"
                             " GROUP BY dag_id", name)

    started = project.start("invoke", "airflow", "scheduler", program=program)
    wait_for_run(project, postgres, database, started)
    assert stop(started, signal.SIGTERM, 60) == 0, project.said()[-4000:]
    project.wait_until_nothing_is_left()
    assert history() == f"{dag}|1|success|success\n"

    # What docs/airflow.md says, in its order.
    path = project.root / "meltano.yml"
    path.write_text("annotations: {meltshim: {airflow: {ids: stock}}}\n" + path.read_text())
    generator.unlink()
    assert project.command("airflow", "generate").returncode == 0

    started = project.start("invoke", "airflow", "scheduler")
    file = f"SELECT fileloc FROM dag WHERE dag_id = '{dag}'"
    wait_until(lambda: generator.name not in postgres.psql(file, name), "the new DAG file", 120)
    done = project.command("invoke", "airflow", "dags", "trigger", dag)
    assert done.returncode == 0, done.stderr
    try:
        wait_until(lambda: history() == f"{dag}|2|success|success\n", "the second run", 120, 0.5)
    except TimeoutError as late:
        raise AssertionError(history() + project.said()[-6000:]) from late
    assert stop(started, signal.SIGTERM, 60) == 0, project.said()[-4000:]
    project.wait_until_nothing_is_left()
    tasks = postgres.psql("SELECT task_id, count(*) FROM task_instance GROUP BY 1 ORDER BY 1", name)
    assert tasks == f"{dag}_task0|2\n{dag}_task1|2\n"
    assert [json.loads(line)["record"]["id"]
            for line in (project.root / "loaded").read_text().splitlines()] == [1, 2]


def test_running_tasks_are_waited_for_up_to_the_limit(make_project, databases, postgres):
    database, port = databases(), free_port()
    plugin = {**own_plugin(database, port), "meltshim_stop_timeout": "2s"}
    project = make_project("airflow2", "orchestrators", plugin)
    hold = project.root / "hold"

    hold.touch()
    started = project.start("invoke", "airflow", "scheduler")
    wait_until(lambda: project.pid_of("scheduler"), "the scheduler", 60)
    wait_until(lambda: any("greeter" in Path(f"/proc/{pid}/cmdline").read_text()
                           for pid in project.processes() if Path(f"/proc/{pid}").exists()),
               "the task's program", 90, 0.2)
    since = time.monotonic()
    assert stop(started, signal.SIGTERM, 60) == 0, project.said()[-4000:]
    assert time.monotonic() - since < 30
    assert not (project.root / "greeted").exists()
    project.wait_until_nothing_is_left()


def test_what_cannot_work_is_said_before_airflow_starts(make_project):
    port = free_port()
    nowhere = f"postgresql+psycopg2://u:secret-word@127.0.0.1:{port}/d"
    project = make_project("airflow2", "orchestrators", hub_plugin(nowhere, 8080))

    done = project.command("invoke", "airflow", "scheduler")
    assert done.returncode != 0
    assert f"Cannot connect to Airflow's metadata database (127.0.0.1:{port}" in done.stderr
    assert "does database.sql_alchemy_conn name it?" in done.stderr
    assert "secret-word" not in done.stderr
    assert not project.started()
