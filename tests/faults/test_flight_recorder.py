"""What a failed run keeps of the messages that passed last."""

import json
import stat
from pathlib import Path

import pytest

THREE = [["schema", "users"], ["counted", "users", 3, 1]]
SECRET = "hunter-2-hunter-2"


def flight(result) -> dict:
    """The file, read by the path that the record gives."""
    path = Path(result.record["blocks"][0]["flight_path"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.parent == Path(result.record["log_path"]).parent
    assert str(path) in result.record["error"]["hint"]
    document = json.loads(path.read_text())
    assert document["schema"] == "meltshim.flight/1"
    assert document["run_id"] == result.record["run_id"]
    return {process["plugin"]: process for process in document["processes"]}


def texts(messages: list) -> list:
    return [json.loads(message["text"]) for message in messages]


def test_a_failed_run_keeps_the_last_messages_of_each_kind(lab):
    steps = [
        ["schema", "users"],
        ["counted", "users", 20, 5],
        ["raw", "hello, I am a log line\n"],
        ["stderr", "the last line"],
        ["raw", '{"type": "RECORD", "stream": "us'],
        ["exit", 3],
    ]
    kept = flight(lab.load(steps=steps))
    tap, target = kept["tap-a"], kept["target-b"]
    assert [text["record"]["id"] for text in texts(tap["messages"]["RECORD"])] == [
        16,
        17,
        18,
        19,
        20,
    ]
    assert [text["stream"] for text in texts(tap["messages"]["SCHEMA"])] == ["users"]
    assert texts(tap["messages"]["STATE"])[-1]["value"] == {"bookmarks": {"users": {"id": 20}}}
    assert [message["text"] for message in tap["messages"]["other"]] == ["hello, I am a log line"]
    (unfinished,) = tap["messages"]["unfinished"]
    assert unfinished["text"] == '{"type": "RECORD", "stream": "us'
    assert tap["stderr"] == ["the last line"]
    assert texts(target["messages"]["STATE"])[-1] == {"bookmarks": {"users": {"id": 20}}}
    assert tap["messages"]["RECORD"][-1]["line"] == 24


def test_long_messages_are_cut_and_what_lies_between_mappers_is_kept(lab):
    result = lab.load(
        steps=[["schema", "users"], ["long-record", "users", 3_000_000], ["exit", 3]], mapper={}
    )
    kept = flight(result)
    for plugin in ("tap-a", "pass"):
        (message,) = kept[plugin]["messages"]["RECORD"]
        assert message["is_cut"] and len(message["text"]) == 2048
        assert message["bytes"] > 3_000_000


def test_secrets_are_masked_in_what_is_kept(lab):
    lab.prepare(
        [
            ["raw", json.dumps({"type": "RECORD", "stream": "a", "record": {"t": SECRET}}) + "\n"],
            ["stderr", f"cannot log in with {SECRET}"],
            ["raw", json.dumps({"type": "STATE", "x": "x" * 2019 + SECRET}) + "\n"],
            ["exit", 3],
        ]
    )
    project = json.loads((lab.root / "meltano.yml").read_text())
    tap = project["plugins"]["extractors"][0]
    tap["settings"] = [{"name": "password", "sensitive": True}]
    tap["config"]["password"] = SECRET
    (lab.root / "meltano.yml").write_text(json.dumps(project))
    result = lab.run("run", "tap-a", "target-b")
    kept = flight(result)["tap-a"]
    assert texts(kept["messages"]["RECORD"])[0]["record"] == {"t": "(redacted)"}
    assert kept["stderr"] == ["cannot log in with (redacted)"]
    assert kept["messages"]["STATE"][0]["text"].endswith("xxx(redacted)")


def test_a_good_run_keeps_nothing(lab):
    result = lab.load(steps=THREE)
    assert result.record["blocks"][0]["flight_path"] is None
    assert not list(lab.root.glob(".meltano/logs/**/flight.json"))


@pytest.mark.parametrize("how", ["option", "variable", "project"])
def test_it_can_be_turned_off(lab, how):
    lab.prepare([*THREE, ["exit", 3]])
    if how == "project":
        project = json.loads((lab.root / "meltano.yml").read_text())
        project["annotations"] = {"meltshim": {"run": {"flight_recorder": False}}}
        (lab.root / "meltano.yml").write_text(json.dumps(project))
    options = ["--flight-recorder=off"] if how == "option" else []
    variables = {"MELTSHIM_FLIGHT_RECORDER": "off"} if how == "variable" else {}
    result = lab.run("run", *options, "tap-a", "target-b", env=variables)
    assert result.status == 10
    assert result.record["blocks"][0]["flight_path"] is None
    assert not list(lab.root.glob(".meltano/logs/**/flight.json"))


def test_a_run_without_state_has_no_log_and_keeps_nothing(lab):
    result = lab.load("--no-state-update", steps=[*THREE, ["exit", 3]])
    assert result.status == 10
    assert result.record["blocks"][0]["flight_path"] is None
