"""Both programs on one system database: what one remembers, the other continues."""

import json

import pytest

STREAMS = ["users", "db-orders", "events"]
COMMANDS = {
    "run": (["run", "tap", "target"], "dev:tap-to-target"),
    "run with a suffix": (
        ["run", "--state-id-suffix=night", "tap", "target"],
        "dev:tap-to-target:night",
    ),
    "run with a mapper": (["run", "tap", "hide", "target"], "dev:tap-to-target"),
    "el": (["el", "tap", "target", "--state-id=mine"], "mine"),
    "schedule": (["schedule", "run", "by-elt"], "by-elt"),
}
ORDERS = {"Meltano first": [0, 1, 0], "meltshim first": [1, 0, 1]}


def state(lab, state_id: str) -> dict:
    return json.loads(lab.succeed("state", "get", state_id).stdout)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_each_continues_where_the_other_ended(labs, programs, command, order):
    """All three runs are in one copy of the project; every record comes exactly once."""
    arguments, state_id = COMMANDS[command]
    lab = labs[0]
    for runs, program in enumerate(ORDERS[order], start=1):
        lab.program = programs[program]
        lab.succeed(*arguments)
        for stream in STREAMS:
            assert lab.records(stream) == list(range(1, 2 * runs + 1))
        for lab.program in programs:
            bookmarks = state(lab, state_id)["singer_state"]["bookmarks"]
            assert bookmarks == {stream: {"id": 2 * runs} for stream in STREAMS}


@pytest.mark.parametrize("command", COMMANDS)
def test_database_rows(labs, command):
    """Run ids, times and hosts differ; everything else of runs and state is the same."""
    arguments, _ = COMMANDS[command]
    for lab in labs:
        lab.succeed(*arguments)
        lab.succeed(*arguments)
    expected, actual = labs
    for sql in (
        "SELECT job_name, state, payload, payload_flags, trigger FROM runs ORDER BY started_at",
        "SELECT state_id, partial_state, completed_state FROM state ORDER BY state_id",
        "SELECT * FROM alembic_version",
        "SELECT typeof(run_id), length(run_id), typeof(started_at), length(started_at),"
        " typeof(ended_at), length(ended_at), typeof(last_heartbeat_at) FROM runs",
    ):
        assert actual.query(sql) == expected.query(sql), sql


@pytest.mark.parametrize("order", ORDERS)
def test_full_refresh_starts_again_and_is_remembered(labs, programs, order):
    lab = labs[0]
    first, second, _ = ORDERS[order]
    lab.program = programs[first]
    lab.succeed("run", "tap", "target")
    lab.program = programs[second]
    lab.succeed("run", "--full-refresh", "tap", "target")
    assert lab.records("users") == [1, 2, 1, 2]
    lab.program = programs[first]
    lab.succeed("run", "tap", "target")
    assert lab.records("users") == [1, 2, 1, 2, 3, 4]


def test_no_state_update_leaves_state_alone(labs):
    for lab in labs:
        lab.succeed("run", "tap", "target")
        lab.succeed("run", "--no-state-update", "tap", "target")
        assert state(lab, "dev:tap-to-target")["singer_state"]["bookmarks"]["users"] == {"id": 2}


@pytest.mark.parametrize("writer", [0, 1])
def test_state_commands_agree(labs, programs, writer):
    """set, copy, move, merge and clear of one program, seen by both."""
    lab = labs[0]
    lab.program = programs[writer]
    lab.succeed("state", "set", "--force", "a", '{"singer_state": {"bookmarks": {"s": {"id": 1}}}}')
    lab.succeed("state", "copy", "--force", "a", "b")
    lab.succeed("state", "merge", "b", '{"singer_state": {"bookmarks": {"t": {"id": 2}}}}')
    lab.succeed("state", "move", "--force", "a", "c")
    lab.succeed("state", "set", "--force", "d", '{"singer_state": {"exact": 0.1}}')
    lab.succeed("state", "clear", "--force", "d")
    answers = []
    for lab.program in programs:
        listed = lab.succeed("state", "list")
        answers.append([state(lab, state_id) for state_id in ("a", "b", "c", "d")])
        assert "b" in listed.stdout + listed.stderr
    assert answers[0] == answers[1]
