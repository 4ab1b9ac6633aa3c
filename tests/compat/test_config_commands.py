"""`config`: what is printed, and what is in meltano.yml and .env afterwards."""

import pytest
import yaml

SHOWN = {
    "print": ["config", "print", "tap"],
    "print as variables": ["config", "print", "tap", "--format=env"],
    "print extras": ["config", "print", "tap", "--extras"],
    "print with secrets": ["config", "--unsafe", "print", "tap"],
    "print in an environment": ["--environment=dev", "config", "print", "tap"],
    "print of an inherited plugin": ["config", "print", "tap-grandchild"],
    "print of a loader": ["config", "print", "target"],
    "print of a mapper": ["config", "print", "mapper"],
    "print of a mapping": ["config", "print", "hide"],
    "print of a utility": ["config", "print", "tool"],
    "print of the project": ["config", "print", "meltano"],
    "list": ["config", "list", "tap"],
    "list in an environment": ["--environment=dev", "config", "list", "tap"],
    "list of an inherited plugin": ["config", "list", "tap-grandchild"],
    "list extras": ["config", "list", "tap", "--extras"],
    "list all": ["config", "list", "tap", "--all"],
    "list some": ["config", "list", "tap", "--filter", "size"],
    "list of the project": ["config", "list", "meltano"],
    "no such plugin": ["config", "print", "nobody"],
    "another type": ["config", "print", "--plugin-type", "loader", "tap"],
}

# Each is a sequence; `config` and the plugin are understood.
CHANGED = {
    "set a string": [["set", "tap", "region", "north"]],
    "set an integer": [["set", "tap", "batch.size", "12"]],
    "set in words": [["set", "tap", "batch", "size", "12"]],
    "set a boolean": [["set", "tap", "is_fast", "true"]],
    "set an array": [["set", "tap", "tables", '["x", "y"]']],
    "set an object": [["set", "tap", "limits", '{"max": 4}']],
    "set below an object": [["set", "tap", "limits.max", "5"]],
    "set a secret": [["set", "tap", "token", 'it"s a $ecret']],
    "set by alias": [["set", "tap", "old_name", "new"]],
    "set over an alias": [["set", "tap", "renamed", "new"]],
    "set what is not defined": [["set", "tap", "unknown", "5"]],
    "set an extra": [["set", "tap", "_select", '["users.*"]']],
    "set metadata": [["set", "tap", "_metadata", "users", "replication-method", "FULL_TABLE"]],
    "set in an environment": [["--environment=dev", "set", "tap", "region", "east"]],
    "set in .env": [["set", "--store=dotenv", "tap", "region", "west"]],
    "set in .env twice": [
        ["set", "--store=dotenv", "tap", "region", "west"],
        ["set", "--store=dotenv", "tap", "region", "south"],
    ],
    "set of the project": [["set", "meltano", "cli.log_level", "debug"]],
    "set with special characters": [["set", "tap", "region", "a: b # c 'd' \"e\" $HOME é"]],
    "set what looks like a number": [["set", "tap", "region", "012"]],
    "set what looks like a boolean": [["set", "tap", "region", "yes"]],
    "set nothing": [["set", "tap", "region", ""]],
    "set a bad integer": [["set", "tap", "batch.size", "many"]],
    "set a bad array": [["set", "tap", "tables", "["]],
    "unset": [["unset", "tap", "old_name"]],
    "unset in words": [["unset", "tap", "batch", "size"]],
    "unset what .env has": [["unset", "tap", "since"]],
    "unset what is not there": [["unset", "tap", "absent"]],
    "set and unset": [["set", "tap", "region", "north"], ["unset", "tap", "region"]],
    "set of a loader": [["set", "target", "flag", "false"]],
    "set of a utility": [["set", "tool", "mode", "loud"]],
}


def command(step: list[str]) -> list[str]:
    if step[0].startswith("--"):
        return [step[0], "config", *step[1:]]
    return ["config", *step]


def definition(lab) -> dict:
    """What meltano.yml says, every value as text. Whatever it was asked to change, Meltano rewrites
    the old kind `password` and how null is written; ours leaves those alone."""
    text = (lab.root / "meltano.yml").read_text()
    text = text.replace("kind: password", "kind: string").replace("nothing: null", "nothing:")
    return yaml.load(text, yaml.BaseLoader)


def dotenv(lab) -> str | None:
    file = lab.root / ".env"
    return file.read_text() if file.exists() else None


def without_descriptions(text: str) -> list[str]:
    """What a setting of the project is for, each program says in its own words."""
    return [line for line in text.splitlines() if not line.startswith("\t")]


@pytest.mark.parametrize("case", SHOWN)
def test_shown(labs, case):
    expected, actual = (lab.run(*SHOWN[case]) for lab in labs)
    if case.endswith("of the project"):
        assert without_descriptions(actual.stdout) == without_descriptions(expected.stdout)
    else:
        assert actual.stdout == expected.stdout, actual.stderr
    assert (actual.status == 0) == (expected.status == 0), actual.stderr


@pytest.mark.parametrize("case", CHANGED)
def test_changed(labs, case):
    for step in CHANGED[case]:
        expected, actual = (lab.run(*command(step)) for lab in labs)
        assert (actual.status == 0) == (expected.status == 0), actual.stderr
        assert actual.stdout == expected.stdout, actual.stderr
        expected, actual = labs
        assert definition(actual) == definition(expected)
        assert dotenv(actual) == dotenv(expected)
        expected, actual = (lab.run("config", "--unsafe", "print", "tap") for lab in labs)
        assert actual.stdout == expected.stdout


def test_reset(labs):
    """Meltano removes all of .env; ours leaves what is not the plugin's."""
    for lab in labs:
        (lab.root / ".env").write_text("FROM_DOTENV=kept\nTAP_SINCE=2013-02-03\n")
    expected, actual = (lab.run("config", "reset", "--yes", "tap") for lab in labs)
    assert (actual.status, actual.stdout) == (expected.status, expected.stdout)
    expected, actual = labs
    assert definition(actual) == definition(expected)
    assert dotenv(actual) == "FROM_DOTENV=kept\n"


@pytest.mark.parametrize("case", CHANGED)
def test_comments_stay(labs, case):
    lab = labs[1]
    file = lab.root / "meltano.yml"
    comments = [f"  # comment {number}" for number in range(3)]
    text = file.read_text()
    text = text.replace("env:\n", f"env:{comments[0]}\n", 1)
    text = text.replace("      old_name: by alias\n", f"      old_name: by alias{comments[1]}\n")
    text = text.replace("\njobs:\n", f"\n{comments[2].strip()}\njobs:\n")
    file.write_text(text)
    for step in CHANGED[case]:
        lab.run(*command(step))
    kept = file.read_text()
    assert comments[0] in kept
    assert comments[2].strip() in kept
    if "old_name: by alias" in kept:
        assert comments[1] in kept
