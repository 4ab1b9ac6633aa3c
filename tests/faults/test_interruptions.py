"""meltshim is told to end, or killed, while it does something else than to pass on records."""

import errno
import json
import os
import pty
import random
import select
import signal
import socket
import subprocess
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

from lab import ENDLESS, STATE_ID, read_record
from support.paths import venv_bin
from support.servers import free_port, stop, wait_until

ONE = [["schema", "users"], ["counted", "users", 1, 1]]
PACKAGE = "faulty_tap"
S3_SETTINGS = {
    "MELTANO_STATE_BACKEND_URI": "s3://bucket/prefix",
    "MELTANO_STATE_BACKEND_S3_AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": "secret",
}


# --- discovery ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "deafness", [[], [["ignore-term"], ["daemon", 3600]]], ids=["polite", "deaf"]
)
@pytest.mark.parametrize(
    "number, status", [(signal.SIGTERM, 18), (signal.SIGINT, 17), (signal.SIGKILL, -9)]
)
def test_a_signal_during_discovery_leaves_nothing(lab, number, status, deafness):
    begun = lab.root / "begun"
    lab.prepare(ONE, discovery=[*deafness, ["touch", str(begun)], ["sleep", 3600]])
    process = lab.start("run", "tap-a", "target-b")
    lab.wait_for(begun.exists)
    started = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert time.monotonic() - started < 6
    assert process.returncode == status
    lab.wait_until_gone()
    lab.prepare(ONE, discovery=[])
    assert lab.run("run", "tap-a", "target-b").status == 0
    assert lab.row_states() == ["FAIL", "SUCCESS"]


# --- waiting for the lock -------------------------------------------------------------------------


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 18), (signal.SIGINT, 17), (9, -9)])
def test_a_signal_while_waiting_for_a_lock_ends_the_waiting(any_lab, number, status):
    lab = any_lab
    lab.prepare(ENDLESS)
    owner = lab.start("run", "tap-a", "target-b")
    lab.wait_for(lambda: lab.committed() > 0)
    waiting = lab.start("run", "--on-running=wait=600", "tap-a", "target-b")
    said = waiting.stderr.readline()
    while b"Waiting for another run" not in said:
        said = waiting.stderr.readline()
        assert said
    started = time.monotonic()
    waiting.send_signal(number)
    stdout, _ = waiting.communicate(timeout=20)
    assert time.monotonic() - started < 3
    assert waiting.returncode == status
    if number != 9:
        assert "while waiting for another run" in read_record(stdout)["error"]["message"]
    assert owner.poll() is None
    owner.terminate()
    owner.communicate(timeout=20)
    assert lab.row_states() == ["FAIL"]


# --- servers that are away or silent --------------------------------------------------------------


@pytest.fixture
def silent_port():
    """Takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def end_early(lab, number, begun, **env):
    """Signals a run once begun() holds; its record, and how long it took to end."""
    lab.prepare(ONE)
    process = lab.start("run", "tap-a", "target-b", env=env)
    lab.wait_for(lambda: begun(process))
    started = time.monotonic()
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=60)
    assert not lab.output.exists(), "the loader was started"
    return read_record(stdout), time.monotonic() - started


def is_connected(port):
    """Whether the process has a connection to that port of the loopback address."""

    def look(process):
        entry = f"0100007F:{port:04X} 01"
        return entry in Path(f"/proc/{process.pid}/net/tcp").read_text()

    return look


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 18), (signal.SIGINT, 17)])
def test_a_signal_while_a_database_that_is_away_is_tried_again_ends_the_trying(lab, number, status):
    """With Meltano's defaults that takes fifteen seconds."""
    port = free_port()

    def is_trying(process):
        return b"Will retry" in process.stderr.readline()

    record, seconds = end_early(
        lab, number, is_trying, MELTANO_DATABASE_URI=f"postgresql://user:word@127.0.0.1:{port}/db"
    )
    assert record["exit_code"] == status
    assert f"127.0.0.1:{port}" in record["error"]["message"]
    assert seconds < 2


def test_a_signal_while_a_database_does_not_answer_ends_the_waiting(lab, silent_port):
    uri = f"postgresql://user:word@127.0.0.1:{silent_port}/db"
    record, seconds = end_early(
        lab, signal.SIGTERM, is_connected(silent_port), MELTANO_DATABASE_URI=uri
    )
    assert record["exit_code"] == 18
    assert seconds < 2


@pytest.mark.parametrize("again", [False, True], ids=["one signal", "a signal after the command"])
def test_a_command_that_was_told_to_end_does_not_wait_for_a_silent_database(
    lab, silent_port, again
):
    """Its record is all that there is to write. It is printed in any case."""
    lab.prepare()
    project = json.loads((lab.root / "meltano.yml").read_text())
    command = {"args": "0" if again else "3600", "executable": "/bin/sleep"}
    utility = {"name": "pause", "namespace": "pause", "executable": "/bin/sleep"}
    project["plugins"]["utilities"] = [{**utility, "commands": {"go": command}}]
    (lab.root / "meltano.yml").write_text(json.dumps(project))
    uri = f"postgresql://user:word@127.0.0.1:{silent_port}/db"
    process = lab.start("run", "pause:go", env={"MELTANO_DATABASE_URI": uri})
    if again:
        lab.wait_for(lambda: is_connected(silent_port)(process))
    else:
        lab.wait_for(lambda: Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert time.monotonic() - started < 5
    assert read_record(stdout)["exit_code"] == process.returncode == (0 if again else 18)
    assert b"the run record is not kept in the system database" in stderr


def test_a_signal_while_s3_does_not_answer_ends_the_waiting(lab, silent_port):
    address = f"http://127.0.0.1:{silent_port}"
    settings = {**S3_SETTINGS, "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": address}
    record, seconds = end_early(lab, signal.SIGTERM, is_connected(silent_port), **settings)
    assert record["exit_code"] == 18
    assert seconds < 2
    assert lab.row_states() == ["FAIL"]


def test_a_signal_while_another_program_locks_the_state_file_ends_in_time(lab):
    """The lock of a Meltano that is writing; ours is made anew for every state."""
    folder = lab.root / "states"
    lab.prepare(ENDLESS)
    env = {
        "MELTANO_STATE_BACKEND_URI": f"file://{folder}",
        "MELTANO_STATE_BACKEND_LOCK_TIMEOUT_SECONDS": "600",
    }
    process = lab.start("run", "tap-a", "target-b", env=env)
    lab.wait_for(lambda: list(folder.glob("*/state.json")))
    (lock,) = [file.parent / "lock" for file in folder.glob("*/state.json")]
    lab.wait_for(lambda: take_lock(lock))
    size = lab.output.stat().st_size
    lab.wait_for(lambda: lab.output.stat().st_size > size + 20000)
    started = time.monotonic()
    process.terminate()
    stdout, _ = process.communicate(timeout=60)
    assert time.monotonic() - started < 5
    assert process.returncode == 18
    lock.unlink()
    (spool,) = lab.root.glob(".meltano/run/spool/*/*.json")
    assert lab.run("state", "commit", str(spool), env=env).status == 0
    kept = json.loads(lab.run("state", "get", STATE_ID, env=env).stdout)
    assert kept["singer_state"]["bookmarks"]["users"]["id"] == lab.confirmations()[-1]


@pytest.fixture
def s3_server(tmp_path_factory):
    """A process that serves S3, and its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with open(tmp_path_factory.mktemp("s3") / "log", "wb") as log:
        server = subprocess.Popen(
            [venv_bin("s3") / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=log,
            stderr=log,
        )

    def make_bucket():
        try:
            request = urllib.request.Request(f"{address}/bucket", method="PUT")
            with urllib.request.urlopen(request, timeout=5):
                return True
        except OSError:
            return False

    wait_until(make_bucket, "the S3 server")
    yield server, address
    server.send_signal(signal.SIGCONT)
    stop(server)


def test_a_signal_while_s3_has_fallen_silent_ends_in_time(lab, s3_server):
    server, address = s3_server
    env = {**S3_SETTINGS, "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": address}
    lab.prepare(ENDLESS)
    process = lab.start("run", "tap-a", "target-b", env=env)
    lab.wait_for(lambda: lab.has_tables() and lab.versions())
    server.send_signal(signal.SIGSTOP)
    size = lab.output.stat().st_size
    lab.wait_for(lambda: lab.output.stat().st_size > size + 20000)
    started = time.monotonic()
    process.terminate()
    stdout, stderr = process.communicate(timeout=60)
    assert time.monotonic() - started < 5
    assert process.returncode == 18
    error = read_record(stdout)["error"]
    (spool,) = lab.root.glob(".meltano/run/spool/*/*.json")
    assert f"meltshim state commit {spool}" in error["hint"]
    server.send_signal(signal.SIGCONT)
    assert lab.run("state", "commit", env=env).status == 0
    kept = json.loads(lab.run("state", "get", STATE_ID, env=env).stdout)
    assert kept["singer_state"]["bookmarks"]["users"]["id"] == lab.confirmations()[-1]


def take_lock(path) -> bool:
    try:
        with open(path, "x") as file:
            file.write(str(time.time()))
    except FileExistsError:
        return False
    return True


# --- installation ---------------------------------------------------------------------------------


@pytest.fixture
def package_lab(lab):
    """A tap that is installed from a wheel; nothing is fetched."""
    info = f"{PACKAGE}-1.0.dist-info"
    files = {
        f"{PACKAGE}.py": "def main():\n    print('installed')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{PACKAGE} = {PACKAGE}:main\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(lab.root / f"{PACKAGE}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    project = {
        "default_environment": "dev",
        "environments": [{"name": "dev"}],
        "plugins": {
            "extractors": [
                {
                    "name": "tap-p",
                    "namespace": "tap_p",
                    "executable": PACKAGE,
                    "pip_url": f"--no-index --find-links {lab.root} {PACKAGE}",
                }
            ]
        },
    }
    (lab.root / "meltano.yml").write_text(json.dumps(project))
    lab.env["PATH"] = f"{venv_bin('uv')}:{lab.env['PATH']}"
    lab.env["UV_CACHE_DIR"] = str(lab.root / "cache")
    return lab


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 18), (9, -9)])
def test_an_installation_that_was_interrupted_can_be_repeated(package_lab, number, status, soak):
    lab = package_lab
    chance = random.Random(number)
    statuses = []
    for _ in range(40 if soak else 6):
        process = lab.start("install", "--clean", "tap-p")
        time.sleep(chance.uniform(0, 0.6))
        process.send_signal(number)
        process.communicate(timeout=30)
        statuses.append(process.returncode)
        lab.wait_until_gone()
    assert set(statuses) <= {0, status, -number}
    result = lab.run("invoke", "tap-p")
    assert (result.status, result.stdout) == (0, "installed\n"), result.stderr
    left = {path.name for path in (lab.root / ".meltano" / "extractors" / "tap-p").iterdir()}
    assert left <= {"venv", "install.lock"}


def test_installations_of_one_plugin_at_once_do_not_disturb_each_other(package_lab):
    lab = package_lab
    processes = [lab.start("install", "tap-p") for _ in range(5)]
    for process in processes:
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr.decode()
    assert lab.run("invoke", "tap-p").stdout == "installed\n"


# --- DAG files ------------------------------------------------------------------------------------


def prepare_schedules(lab, interval: str) -> None:
    lab.prepare(ONE)
    project = json.loads((lab.root / "meltano.yml").read_text())
    project["schedules"] = [
        {"name": f"s{i}", "interval": interval, "job": "load"} for i in range(3)
    ]
    project["jobs"] = [{"name": "load", "tasks": ["tap-a target-b"]}]
    (lab.root / "meltano.yml").write_text(json.dumps(project))


def read_dags(folder) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("how", ["before", "after", errno.ENOSPC])
def test_a_dag_file_is_the_old_or_the_new_one_at_any_moment(lab, inject, how):
    folder = lab.root / "dags"
    generate = ["airflow", "generate", "--output", str(folder)]
    wholes = []
    for interval in ("@daily", "@hourly"):
        prepare_schedules(lab, interval)
        assert lab.run(*generate).status == 0
        wholes.append(read_dags(folder))
    old, new = wholes
    assert old.keys() == new.keys() and len(old) >= 3
    trace = lab.root / "trace"
    prepare_schedules(lab, "@daily")
    assert lab.run(*generate, env=inject(trace=trace)).status == 0
    for number in range(1, len(trace.read_text().splitlines()) + 1):
        prepare_schedules(lab, "@hourly")
        assert lab.run(*generate).status == 0
        prepare_schedules(lab, "@daily")
        result = lab.run(*generate, env=inject(at=number, how=how))
        assert result.status in (-9, 1, 0)
        for name, text in read_dags(folder).items():
            if name.endswith(".py"):
                assert text in (old[name], new[name])
        assert lab.run(*generate).status == 0
        assert read_dags(folder) == old


# --- a terminal -----------------------------------------------------------------------------------


def test_control_c_in_a_terminal_ends_the_run_and_saves_the_state(lab):
    """The terminal sends SIGINT to its foreground group, in which the plugins are not."""
    lab.prepare(ENDLESS)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [lab.meltshim, "run", "tap-a", "target-b"],
        cwd=lab.root,
        env=lab.env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )
    os.close(theirs)
    shown = b""

    def read_on():
        nonlocal shown
        if select.select([ours], [], [], 0.01)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError as error:
                assert error.errno == errno.EIO
                return False
        return True

    lab.wait_for(lambda: read_on() and lab.committed() > 0)
    started = time.monotonic()
    os.write(ours, b"\x03")
    while read_on() and time.monotonic() - started < 10:
        pass
    assert process.wait(timeout=10) == 17
    assert time.monotonic() - started < 5
    os.close(ours)
    (record,) = (json.loads(line) for line in shown.splitlines() if line.startswith(b'{"schema"'))
    assert record["error"]["class"] == "interrupted"
    assert lab.committed() == lab.confirmations()[-1]
    assert lab.row_states() == ["FAIL"]
