"""What a run says under Airflow, which keeps every line: little, and the rest is in its own log."""

import json
from pathlib import Path

from lab import Clocks

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


def test_what_a_plugin_says_is_plain_text(lab):
    colored = "\x1b[31mred\x1b[0m \x1b]0;title\x07"
    result = lab.load(steps=[["schema", "users"], ["stderr", colored]], env=AIRFLOW)
    assert "\x1b" not in result.stderr
    assert "tap-a        red \\u001b]0;title\\u0007\n" in result.stderr


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


def add_talker(lab, script):
    """A plugin with commands; the script is told the exit status to end with."""
    talker = lab.root / "talker"
    talker.write_text(f"#!/bin/sh\n{script}\nexit $1\n")
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


def test_a_plugin_command_has_a_log_there(lab):
    """What dbt and the like say is not lost either."""
    add_talker(lab, "seq 1 3000")
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


class Watched:
    """A run whose clocks are ours, and what it has said so far."""

    def __init__(self, lab, inject, *words):
        self.lab = lab
        self.said = lab.root / "said"
        self.clocks = Clocks(lab, inject)
        with open(self.said, "wb") as said:
            self.process = lab.start(*words, env={**AIRFLOW, **self.clocks.env}, stderr=said)

    def lines(self):
        return self.said.read_text().splitlines()

    def progress(self):
        return [line for line in self.lines() if "Progress: " in line]

    def wait_for_round(self, output):
        """Until what the run passes on has grown twice: it has looked at its clock meanwhile."""
        for _ in range(2):
            size = output.stat().st_size
            self.lab.wait_for(lambda size=size: output.stat().st_size > size)

    def check_half_minutes(self, count, output):
        """A line for each, and not before it is over."""
        for number in range(count):
            self.clocks.move_on(25)
            self.wait_for_round(output)
            assert len(self.progress()) == number, "before half a minute has passed"
            self.clocks.move_on(5)
            self.lab.wait_for(lambda: len(self.progress()) > number)

    def end(self):
        stdout, _ = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, self.said.read_text()
        return json.loads(stdout.splitlines()[-1])


def test_an_hour_of_chatter_is_a_few_hundred_lines(lab, inject):
    """One in each half minute says how far the load has come."""
    release = lab.root / "release"
    lab.prepare([["schema", "users"], ["until", "users", str(release), 0.01, 20]])
    run = Watched(lab, inject, "run", "tap-a", "target-b")
    lab.wait_for(lambda: lab.output.exists() and lab.output.stat().st_size)
    run.check_half_minutes(120, lab.output)
    release.touch()
    record = run.end()
    assert len(run.progress()) == 120
    assert " records in 1 streams, " in run.progress()[-1]
    assert len(run.lines()) < 400
    log = Path(record["log_path"]).read_text()
    assert log.count(" tap-a ") > 4000


def test_a_plugin_command_shows_that_it_runs(lab, inject):
    release = lab.root / "release"
    pulse = lab.root / "pulse"
    add_talker(lab, f'until [ -e "{release}" ]; do echo x | tee -a "{pulse}"; sleep 0.02; done')
    run = Watched(lab, inject, "run", "talker:well")
    lab.wait_for(pulse.exists)
    run.check_half_minutes(3, pulse)
    release.touch()
    run.end()
    assert "Progress: talker:well has been running for 90 s" in run.progress()[2]
