"""Taps, mappers and targets that fail: the culprit is named and nothing confirmed is lost."""

import signal

import pytest

from lab import PLUGINS

THREE = [["schema", "users"], ["counted", "users", 3, 1]]
ENDLESS = [["schema", "users"], ["counted", "users", 10**9, 1]]
IDLE = [["schema", "users"], ["counted", "users", 3, 1], ["sleep", 3600]]
AT_THREE = {"bookmarks": {"users": {"id": 3}}}


def test_a_good_run_commits_what_the_target_confirmed(lab):
    result = lab.load(steps=THREE)
    assert result.status == 0
    assert lab.state() == AT_THREE
    assert result.record["status"] == "success"
    assert result.stream("users")["records"] == 3
    assert lab.loaded() == [1, 2, 3]


def test_the_next_run_continues_from_the_state(lab):
    lab.load(steps=THREE)
    result = lab.load(steps=THREE)
    assert result.status == 0
    assert lab.loaded() == [1, 2, 3, 4, 5, 6]
    assert result.stream("users")["bookmark_before"] == {"id": 3}
    assert result.stream("users")["bookmark_after"] == {"id": 6}


def test_a_tap_that_fails_is_named_with_its_last_lines(lab):
    result = lab.load(steps=[*THREE, ["stderr", "no such table: users"], ["exit", 3]])
    assert result.status == 10
    assert result.record["error"]["message"] == "extractor 'tap-a' failed: exit status 3"
    assert result.process("tap-a")["stderr_tail"] == ["no such table: users"]
    assert result.process("tap-a")["culprit"] and not result.process("target-b")["culprit"]
    assert "no such table: users" in result.stderr
    assert lab.state() == AT_THREE
    assert lab.row_states() == ["FAIL"]


def test_a_tap_killed_by_a_signal_is_named(lab):
    result = lab.load(steps=[*THREE, ["signal", int(signal.SIGKILL)]])
    assert result.status == 10
    assert result.process("tap-a")["signal"] == 9
    assert "signal 9 (SIGKILL)" in result.record["error"]["message"]
    assert lab.state() == AT_THREE


@pytest.mark.parametrize("code", [0, 4])
@pytest.mark.parametrize("steps", [ENDLESS, IDLE], ids=["writing", "idle"])
def test_a_target_that_ends_early_is_the_culprit(lab, steps, code):
    result = lab.load(steps=steps, target={"exit_after": 6, "exit_code": code})
    assert result.status == 12
    assert "loader 'target-b'" in result.record["error"]["message"]
    assert result.process("target-b")["culprit"] and not result.process("tap-a")["culprit"]
    assert result.process("target-b")["stderr_tail"] == ["the target gives up"]
    assert lab.state()["bookmarks"]["users"]["id"] == 2


def test_a_target_that_is_killed_is_the_culprit(lab):
    result = lab.load(steps=ENDLESS, target={"signal_after": 6})
    assert result.status == 12
    assert result.process("target-b")["signal"] == 9
    assert lab.state()["bookmarks"]["users"]["id"] == 2


def test_a_target_that_fails_at_its_end_fails_the_run(lab):
    result = lab.load(steps=THREE, target={"end_code": 5})
    assert result.status == 12
    assert lab.state() == AT_THREE


@pytest.mark.parametrize("code", [0, 6])
def test_a_mapper_that_ends_early_is_the_culprit(lab, code):
    result = lab.load(steps=ENDLESS, mapper={"exit_after": 6, "exit_code": code})
    assert result.status == 11
    assert (
        "map-a" in result.record["error"]["message"] or "pass" in result.record["error"]["message"]
    )
    assert lab.state()["bookmarks"]["users"]["id"] == 2


def test_a_mapper_between_is_counted_on_both_sides(lab):
    result = lab.load(steps=THREE, mapper={})
    assert result.status == 0
    assert result.stream("users")["records"] == 3
    assert result.stream("users")["records_from_tap"] == 3
    assert [p["role"] for p in result.record["processes"]] == ["tap", "mapper", "target"]


def test_a_missing_executable_is_found_before_anything_starts(lab):
    started = lab.root / "started"
    lab.prepare([["touch", str(started)]])
    project = (lab.root / "meltano.yml").read_text()
    target = str(lab.meltshim.parent / "no-such-target")
    (lab.root / "meltano.yml").write_text(project.replace(str(PLUGINS / "target"), target))
    result = lab.run("run", "tap-a", "target-b")
    assert result.status == 14
    assert result.record["error"]["class"] == "start"
    assert "no-such-target" in result.record["error"]["message"]
    assert [p["ended"] for p in result.record["processes"]] == ["not started", "not started"]
    assert not started.exists()


def test_garbage_is_forwarded_and_counted_apart(lab):
    steps = [
        ["raw", "hello, I am a log line\n"],
        ["record", "early"],
        ["schema", "users"],
        ["bytes", b'{"type":"RECORD","stream":"users","record":{"id":1,"t":"\xff"}}\n'.hex()],
        ["raw", '{"type":"NOVELTY"}\n[1]\n'],
        ["record", "users", 2],
    ]
    result = lab.load(steps=steps)
    assert result.status == 0
    assert result.messages["garbage_lines"] == 2
    assert result.messages["first_garbage"] == "hello, I am a log line"
    assert result.messages["invalid_utf8_lines"] == 1
    assert result.messages["unknown_types"] == 1
    assert result.stream("early")["record_before_schema"]
    assert not result.stream("users")["record_before_schema"]
    assert result.stream("users")["records"] == 3


@pytest.mark.parametrize("line", ["[1, 2]", "5", '"text"', "{broken", "not json"])
def test_a_state_that_is_no_object_is_refused_and_reported(lab, line):
    lab.load(steps=THREE)
    result = lab.load(steps=THREE, target={"late_output": [line], "confirm": False})
    assert result.status == 0
    assert result.record["blocks"][0]["state"]["refused"] == 1
    assert "state is invalid" in result.stderr
    assert lab.state() == AT_THREE


@pytest.mark.parametrize("line", ["{}", "null", "0", '""', "[]"])
def test_an_empty_state_is_ignored(lab, line):
    lab.load(steps=THREE)
    result = lab.load(steps=THREE, target={"late_output": [line], "confirm": False})
    assert result.status == 0
    assert "Received empty state" in result.stderr
    assert lab.state() == AT_THREE


def test_values_that_are_only_carried_keep_their_bytes(lab):
    value = '{"bookmarks": {"users": {"at": 0.10, "big": 123456789012345678901234567890}}}'
    lab.load(steps=THREE, target={"late_output": [value], "confirm": False})
    ((text,),) = lab.query("SELECT completed_state FROM state")
    assert text == f'{{"singer_state": {value}}}'


def test_a_long_line_passes(lab):
    result = lab.load(steps=[["schema", "users"], ["long-record", "users", 3_000_000]])
    assert result.status == 0
    assert result.messages["longest_line"] > 3_000_000
    assert lab.output.stat().st_size == result.messages["longest_line"] + 1


def test_a_daemon_of_the_tap_does_not_survive_or_hold_up_the_run(lab):
    result = lab.load(steps=[["daemon", 3600], *THREE])
    assert result.status == 0
    assert result.seconds < 15
    assert lab.state() == AT_THREE
    assert not lab.survivors()


def test_a_tap_that_closes_its_output_and_stays_is_ended(lab):
    result = lab.load(steps=[*THREE, ["close-output"], ["sleep", 3600]])
    assert result.status == 10
    message = "extractor 'tap-a' closed its output and did not end"
    assert result.record["error"]["message"] == message
    assert result.process("tap-a")["culprit"]
    assert lab.state() == AT_THREE


def test_a_target_that_closes_its_input_and_stays_is_ended(lab):
    result = lab.load(steps=ENDLESS, target={"close_input_after": 6})
    assert result.status == 12
    message = "loader 'target-b' closed its pipes and did not end"
    assert result.record["error"]["message"] == message
    assert result.process("target-b")["culprit"] and not result.process("tap-a")["culprit"]
    assert lab.state()["bookmarks"]["users"]["id"] == 2
