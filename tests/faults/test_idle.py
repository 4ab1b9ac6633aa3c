"""Runs in which nothing moves, and how long a run may take to end."""

import json
import os
import signal
import socket
import time

import pytest

from lab import ENDLESS

THREE = [["schema", "users"], ["counted", "users", 3, 1]]
AT_THREE = {"bookmarks": {"users": {"id": 3}}}


@pytest.fixture
def silent_server():
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def snapshot(process: dict) -> dict:
    """Of the process that a snapshot begins with."""
    return process["snapshot"]["processes"][0]


@pytest.mark.parametrize("option", ["--timeout", "--idle-timeout", "--stop-grace"])
def test_a_limit_of_more_seconds_than_can_be_counted_is_none(lab, option):
    result = lab.load(f"{option}=9223372036854775807", steps=THREE)
    assert result.status == 0, result.stderr
    assert lab.state() == AT_THREE


def test_an_idle_run_is_ended_and_says_what_each_side_waited_for(lab, silent_server, check_record):
    result = lab.load("--idle-timeout", "2", steps=[*THREE, ["ask", silent_server]])
    record = check_record(result.stdout.splitlines()[-1])
    assert result.status == 19
    assert record["error"]["class"] == "idle"
    expected = "no byte has moved for 2 s: extractor 'tap-a' reads from descriptor "
    assert record["error"]["message"].startswith(expected)
    assert f"to 127.0.0.1:{silent_server}, established" in record["error"]["message"]
    tap, target = record["processes"]
    assert (tap["cause"], tap["culprit"]) == ("idle", True)
    assert (target["culprit"], target["snapshot"]["reason"]) == (False, "idle")
    assert snapshot(tap)["system_call"].startswith("recvfrom(")
    assert snapshot(target)["waits_for"].startswith("reads from descriptor 0 (pipe from meltshim")
    ends = {entry["fd"]: entry["what"] for entry in snapshot(target)["descriptors"]}
    assert ends[0] == "pipe from meltshim, 0 bytes unread"
    assert ends[1].startswith("pipe to meltshim")
    assert str(lab.output) in ends.values()
    assert "of loader 'target-b' reads from descriptor 0" in result.stderr
    assert lab.state() == AT_THREE
    assert not lab.survivors()


def test_a_target_that_takes_nothing_is_the_idle_one(lab):
    result = lab.load(
        "--idle-timeout",
        "1",
        steps=ENDLESS[:1] + [["counted", "users", 10**9, 1]],
        target={"pause": 3600},
    )
    assert result.status == 19
    assert "loader 'target-b' sleeps" in result.record["error"]["message"]
    assert result.process("target-b")["culprit"]
    assert snapshot(result.process("tap-a"))["waits_for"].startswith(
        "writes to descriptor 1 (pipe to meltshim, "
    )


def test_a_plugin_in_a_wrapper_is_seen_through(lab, silent_server):
    lab.prepare([*THREE, ["ask", silent_server]])
    project = json.loads((lab.root / "meltano.yml").read_text())
    tap = project["plugins"]["extractors"][0]
    wrapper = lab.root / "wrapper"
    wrapper.write_text(f'#!/bin/sh\n{tap["executable"]} "$@"\nexit 0\n')
    wrapper.chmod(0o755)
    tap["executable"] = str(wrapper)
    (lab.root / "meltano.yml").write_text(json.dumps(project))
    result = lab.run("run", "--idle-timeout", "2", "tap-a", "target-b")
    assert "extractor 'tap-a' reads from descriptor" in result.record["error"]["message"]
    shell, python = result.process("tap-a")["snapshot"]["processes"]
    assert shell["waits_for"] == "waits for a child process"
    assert python["waits_for"].startswith("reads from")


def test_a_slow_run_is_not_idle(lab):
    steps = [["schema", "users"], ["counted", "users", 8, 1, 0.5]]
    result = lab.load("--idle-timeout", "3", steps=steps)
    assert result.status == 0


def test_log_lines_are_a_sign_of_life(lab):
    waiting = [["stderr", "still waiting"], ["sleep", 0.5]] * 8
    result = lab.load("--idle-timeout", "3", steps=[*waiting, *THREE])
    assert result.status == 0


def test_a_time_limit_says_what_each_side_waited_for(lab, silent_server):
    result = lab.load("--timeout", "1", steps=[*THREE, ["ask", silent_server]])
    assert result.status == 15
    assert result.process("tap-a")["cause"] == "timeout"
    assert result.process("tap-a")["snapshot"]["reason"] == "timeout"
    assert snapshot(result.process("tap-a"))["waits_for"].startswith("reads from")


def test_a_stopped_plugin_is_said_to_be_stopped(lab):
    lab.prepare(ENDLESS)
    process = lab.start("run", "--idle-timeout", "2", "tap-a", "target-b")
    lab.wait_for(lambda: lab.plugin_pids("target") and lab.output.exists())
    os.kill(lab.plugin_pids("tap")[0], signal.SIGSTOP)
    record = json.loads(process.communicate(timeout=30)[0].splitlines()[-1])
    assert record["error"]["message"].endswith("extractor 'tap-a' is stopped")


# --- settings -------------------------------------------------------------------------------------


def annotate(lab, **settings) -> None:
    project = json.loads((lab.root / "meltano.yml").read_text())
    project["annotations"] = {"meltshim": {"run": settings}}
    (lab.root / "meltano.yml").write_text(json.dumps(project, indent=2))


IDLE = [*THREE, ["sleep", 4]]


def test_the_project_may_say_when_runs_are_idle(lab):
    lab.prepare(IDLE)
    annotate(lab, idle_timeout=2)
    assert lab.run("run", "tap-a", "target-b").status == 19
    assert lab.run("el", "tap-a", "target-b", "--state-id=x").status == 19
    assert lab.run("run", "--idle-timeout=0", "tap-a", "target-b").status == 0
    variable = {"MELTSHIM_IDLE_TIMEOUT": "30"}
    assert lab.run("run", "tap-a", "target-b", env=variable).status == 0


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"idle_timeout": "soon"}, "idle_timeout must be a whole number of seconds, 0 or more"),
        ({"stop_grace": 0}, "stop_grace must be a whole number of seconds, 1 or more"),
        ({"flight_recorder": 1}, "flight_recorder must be true or false, not an integer"),
        ({"idle_timout": 1}, "unknown key 'idle_timout' in annotations.meltshim.run"),
    ],
)
def test_a_wrong_setting_is_said_with_its_place(lab, settings, message):
    lab.prepare(THREE)
    annotate(lab, **settings)
    result = lab.run("run", "tap-a", "target-b")
    assert result.status == 1
    assert message in result.stderr
    assert "meltano.yml:" in result.stderr


@pytest.mark.parametrize("seconds, least, most", [(1, 0.7, 3.5), (7, 5, 10)])
def test_the_grace_is_a_setting(lab, seconds, least, most):
    """Of five seconds, four would pass until everybody is killed."""
    deaf = [["ignore-term"], *ENDLESS]
    lab.prepare(deaf, {"ignore_term": True, "drain": 3600})
    process = lab.start("run", f"--stop-grace={seconds}", "tap-a", "target-b")
    lab.wait_for(lambda: lab.output.exists() and lab.output.stat().st_size > 0)
    started = time.monotonic()
    process.terminate()
    record = json.loads(process.communicate(timeout=30)[0].splitlines()[-1])
    assert least < time.monotonic() - started < most
    assert {p["snapshot"]["reason"] for p in record["processes"]} == {"deaf"}
    assert not lab.survivors()
