"""The record of a run in its three places, when it is longer than Airflow's XCom should be."""

import json
from pathlib import Path

from lab import Clocks


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


AIRFLOW = {
    "AIRFLOW_CTX_DAG_ID": "nightly",
    "AIRFLOW_CTX_TASK_ID": "load",
    "AIRFLOW_CTX_DAG_RUN_ID": "scheduled__2026-01-01",
    "AIRFLOW_CTX_TRY_NUMBER": "2",
}


def test_a_run_that_is_killed_has_a_record(any_lab, inject, check_record):
    """It is written in advance, and again with each heartbeat; nobody sees it before the next run
    has closed the row."""
    lab = any_lab
    clocks = Clocks(lab, inject)

    def counted():
        ((record,),) = lab.query("SELECT record FROM meltshim_runs")
        return json.loads(record)["totals"]["records"]

    lab.prepare([["schema", "users"], ["counted", "users", 10**9, 1, 0.01]])
    process = lab.start("run", "tap-a", "target-b", env={**AIRFLOW, **clocks.env})
    lab.wait_for(lambda: lab.committed())
    clocks.move_on(5)
    lab.wait_for(lambda: counted() > 0)
    assert json.loads(lab.run("runs", "list", "--format=json").stdout)["runs"] == []
    process.kill()
    process.communicate()
    lab.wait_until_gone()
    last = counted()
    assert lab.load(steps=[["schema", "users"], ["counted", "users", 1, 1]]).status == 0

    newest, killed = json.loads(lab.run("runs", "list", "--format=json").stdout)["runs"]
    check_record(json.dumps(killed))
    assert newest["status"] == "success"
    assert killed["status"] == "failed"
    assert killed["error"]["message"] == (
        f"the process {process.pid} on {newest['host']} ended without closing its run"
    )
    assert killed["trigger"] == {
        "kind": "airflow", "dag_id": "nightly", "task_id": "load",
        "dag_run_id": "scheduled__2026-01-01", "try_number": "2",
    }
    assert killed["command"][1:] == ["run", "tap-a", "target-b"]
    assert killed["totals"]["records"] == last
    assert killed["streams"][0]["records"] == last
    assert killed["blocks"][0]["state"]["checkpoints"] > 0
    assert killed["duration_ms"] >= 5000
    assert Path(killed["log_path"]).read_text().count("Incremental state has been updated")
    shown = lab.run("runs", "show", killed["run_id"])
    assert "ended without closing its run" in shown.stdout


def test_a_run_of_several_loads_has_one_record(lab):
    """That of its last load; the rows of the others keep nothing of theirs."""
    lab.prepare([["schema", "users"], ["counted", "users", 3, 1]])
    assert lab.run("run", "tap-a", "target-b", "tap-a", "target-b").status == 0
    (run,) = json.loads(lab.run("runs", "list", "--format=json").stdout)["runs"]
    assert run["status"] == "success"
    assert run["totals"]["records"] == 6
    ((count,),) = lab.query("SELECT COUNT(*) FROM meltshim_runs")
    assert count == 2
