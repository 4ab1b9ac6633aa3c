"""Lists of runs."""

import os
import re
import signal
import sqlite3
import subprocess

import pytest

WAITING_TAP = """\
#!/bin/sh
case "$*" in
*--discover*) echo '{"streams": []}' ;;
*) echo waiting >&2; exec sleep 60 ;;
esac
"""


@pytest.fixture
def waiting(project):
    """A run whose extractor has been started and sends nothing."""
    project("run", "tap-a", "target-b")
    (project.directory / "bin" / "tap-a").write_text(WAITING_TAP)
    process = subprocess.Popen(
        [project.program, "run", "tap-a", "target-b"],
        cwd=project.directory, env=project.env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    for line in process.stderr:
        if "waiting" in line:
            break
    yield process
    process.kill()
    process.wait()
    process.stderr.close()


def test_a_run_that_goes_on_comes_first_with_its_process(project, waiting):
    _, running, ended = project("runs", "list").out.splitlines()
    assert running.startswith("running ")
    assert running.endswith(f"cli, process {waiting.pid} on {os.uname().nodename}")
    assert ended.startswith("success ")
    assert re.search(r" (\d{1,3}ms|[1-9]\d*\.\ds) ", ended)
    assert [line.split()[0] for line in project("runs", "list", "-l1").out.splitlines()] == [
        "STATUS",
        "running",
    ]


def test_a_run_that_was_killed_is_silent_after_a_minute(project, waiting):
    waiting.send_signal(signal.SIGKILL)
    waiting.wait()
    with sqlite3.connect(project.directory / ".meltano" / "meltano.db") as database:
        database.execute("UPDATE runs SET last_heartbeat_at = '2020-01-01 00:00:00.000000', "
                         "started_at = '2020-01-01 00:00:00.000000' WHERE state = 'RUNNING'")
    database.close()
    assert project("runs", "list").out.splitlines()[1].startswith("silent ")
