"""The record of a run in its three places, when it is longer than Airflow's XCom should be."""

import json
from pathlib import Path


def test_the_printed_record_is_bounded_and_the_stored_ones_are_whole(lab, check_record):
    names = [f"stream-{number}" for number in range(3000)]
    lines = [
        json.dumps(message) + "\n"
        for name in names
        for message in (
            {"type": "SCHEMA", "stream": name, "schema": {}, "key_properties": []},
            {"type": "RECORD", "stream": name, "record": {"id": 1}},
        )
    ]
    biggest = {"type": "RECORD", "stream": names[-1], "record": {"id": 2}}
    state = {"type": "STATE", "value": {"bookmarks": {names[-1]: {"key": "a\0b"}}}}
    lines += [json.dumps(biggest) + "\n", json.dumps(state) + "\n"]
    messages = lab.root / "messages.jsonl"
    messages.write_text("".join(lines))
    result = lab.load(steps=[["file", str(messages)]])
    assert result.status == 0, result.stderr

    line = result.stdout.splitlines()[-1]
    assert len(line.encode()) <= 48 * 1024
    assert "\\u0000" not in line
    printed = check_record(line)
    kept = [stream["name"] for stream in printed["streams"]]
    assert printed["totals"]["streams"] == 3000
    assert printed["totals"]["records"] == 3001
    assert printed["left_out"]["streams"] == 3000 - len(kept)
    assert kept[-1] == names[-1], "the stream with the most records"

    beside_log = check_record(open(printed["left_out"]["record_path"]).read())
    shown = check_record(lab.run("runs", "show", printed["run_id"], "--format=json").stdout)
    assert beside_log == shown
    assert [stream["name"] for stream in shown["streams"]] == names
    assert "left_out" not in shown


def test_no_nul_reaches_the_printed_record(lab, check_record):
    """PostgreSQL, where Airflow keeps it as XCom, has no such character."""
    lines = [
        {"type": "SCHEMA", "stream": "a\0b", "schema": {}, "key_properties": []},
        {"type": "RECORD", "stream": "a\0b", "record": {"id": "\0"}},
        {"type": "STATE", "value": {"bookmarks": {"a\0b": {"key": "a\0b"}}}},
        {"type": "\0"},
    ]
    steps = [["raw", json.dumps(line) + "\n"] for line in lines]
    steps += [["bytes", "6100620a"], ["stderr", "why\0not"], ["exit", 1]]
    result = lab.load(steps=steps)
    assert result.status == 10
    assert "\0" not in result.stdout and "\\u0000" not in result.stdout
    record = check_record(result.stdout)
    assert record["totals"]["records"] == 1
    assert record["blocks"][0]["messages"]["garbage_lines"] == 1
    assert result.process("tap-a")["stderr_tail"] == ["why not"]


def test_the_next_run_writes_the_record_of_one_that_was_killed(any_lab, check_record):
    lab = any_lab
    lab.prepare([["schema", "users"], ["counted", "users", 10**9, 1, 0.01]])
    process = lab.start("run", "tap-a", "target-b")
    lab.wait_for(lambda: lab.committed())
    process.kill()
    process.communicate()
    assert lab.load(steps=[["schema", "users"], ["counted", "users", 1, 1]]).status == 0

    newest, killed = json.loads(lab.run("runs", "list", "--format=json").stdout)["runs"]
    check_record(json.dumps(killed))
    assert newest["status"] == "success"
    assert killed["status"] == "failed"
    assert killed["error"]["message"] == (
        f"the process {process.pid} on {newest['host']} ended without closing its run"
    )
    assert "users" in lab.run("runs", "show").stdout
    assert Path(killed["log_path"]).read_text().count("Incremental state has been updated")
    shown = lab.run("runs", "show", killed["run_id"])
    assert "ended without closing its run" in shown.stdout
