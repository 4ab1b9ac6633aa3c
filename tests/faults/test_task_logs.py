"""What a run says under Airflow, which keeps every line: little, and the rest is in its own log."""

import json
from pathlib import Path

AIRFLOW = {"AIRFLOW_CTX_DAG_ID": "nightly", "AIRFLOW_CTX_TASK_ID": "load", "FORCE_COLOR": "1"}
CHATTY = [["schema", "users"], ["chatter", 5000], ["counted", "users", 3, 1]]


def test_a_chatty_plugin_fills_the_log_file_only(lab):
    result = lab.load(steps=CHATTY, env=AIRFLOW)
    assert result.status == 0
    lines = result.stderr.splitlines()
    assert len(lines) < 130
    assert "\x1b" not in result.stderr
    path = result.record["log_path"]
    assert f"Too many lines: from here on they are only in {path}" in result.stderr
    # All but the burst of 100; saved states are chatter, too.
    saved = result.record["blocks"][0]["state"]["checkpoints"]
    assert f"The whole log is {path}; {5000 + saved - 100} lines of it were left out here" in (
        result.stderr
    )
    log = Path(path).read_text()
    assert [f"line {n}" for n in range(5000)] == [
        line.split()[-2] + " " + line.split()[-1] for line in log.splitlines() if " tap-a " in line
    ]


def test_a_person_sees_everything(lab):
    result = lab.load(steps=CHATTY)
    assert result.stderr.count(" tap-a ") == 5000
    assert "The whole log" not in result.stderr


def test_debug_level_shows_everything(lab):
    result = lab.load(steps=CHATTY, env={**AIRFLOW, "MELTANO_CLI_LOG_LEVEL": "debug"})
    assert result.stderr.count(" tap-a ") == 5000


def test_the_errors_come_first_in_the_summary(lab):
    steps = [
        ["schema", "users"],
        ["counted", "users", 3, 1],
        ["chatter", 5000],
        ["stderr", "the source is closed"],
        ["exit", 3],
    ]
    result = lab.load(steps=steps, env=AIRFLOW)
    assert result.status == 10
    order = [
        "The last lines of tap-a:",
        "the source is closed",
        "Block run failed: ",
        "users: 3 records",
        "The whole log is ",
        "Run completed",
    ]
    places = [result.stderr.rindex(text) for text in order]
    assert places == sorted(places)
    last = result.stderr.splitlines()[-1]
    assert "[error    ] meltano      Extractor 'tap-a' failed: exit status 3." in last
    assert result.record["log_path"] in last


def test_a_plugin_command_has_a_log_there(lab):
    """What dbt and the like say is not lost either."""
    talker = lab.root / "talker"
    talker.write_text("#!/bin/sh\nseq 1 3000\nexit $1\n")
    talker.chmod(0o755)
    project = json.loads((lab.root / "meltano.yml").read_text())
    project["plugins"]["utilities"] = [
        {
            "name": "talker",
            "namespace": "talker",
            "executable": "./talker",
            "commands": {"well": "0", "badly": "7"},
        }
    ]
    (lab.root / "meltano.yml").write_text(json.dumps(project))

    result = lab.run("run", "talker:well", env=AIRFLOW)
    assert result.status == 0
    assert len(result.stderr.splitlines()) < 130
    assert result.record["log_path"] == result.record["blocks"][0]["log_path"]
    log = Path(result.record["log_path"]).read_text()
    assert log.count(" talker ") == 3000
    assert json.loads(Path(result.record["log_path"]).with_name("run.json").read_text()) == (
        result.record
    )

    failed = lab.run("run", "talker:badly", env=AIRFLOW)
    assert failed.status == 13
    assert failed.record["log_path"] in failed.stderr.splitlines()[-1]
    assert "3000" in failed.stderr, "its last line"

    by_hand = lab.run("run", "talker:well")
    assert by_hand.stderr.count(" talker ") == 3000
    assert by_hand.record["log_path"] is None
