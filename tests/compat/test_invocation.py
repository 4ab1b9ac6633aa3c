"""How plugins are started: arguments, environment and files, ours and those of Meltano.

Both programs invoke the same shell scripts, which write down what they were given.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.paths import venv_bin

# Appends one JSON object per call: arguments, environment and the files that the arguments and
# variables name.
RECORDER = """\
#!/usr/bin/env python3
import json, os, sys
def read(path):
    try:
        return open(path).read()
    except OSError:
        return None
named = [os.environ.get(name, "") for name in ("SINGER_SDK_LOG_CONFIG", "LOGGING_CONF_FILE")]
call = {
    "argv": sys.argv,
    "env": dict(os.environ),
    "files": {path: read(path) for path in sys.argv[1:] + named if os.path.isfile(path)},
    "cwd": os.getcwd(),
}
with open(os.environ["RECORD"], "a") as record:
    record.write(json.dumps(call) + "\\n")
name = os.path.basename(sys.argv[0])
if "--discover" in sys.argv:
    sys.stdout.write(read(os.environ["DISCOVERED"]))
elif name == "speaking-tap":
    print('{"type": "STATE", "value": {"bookmarks": {"users": {"id": 7}}}}')
elif name == "mapper":
    sys.stdout.write(sys.stdin.read())
elif name == "target":
    for line in sys.stdin:
        print(json.dumps(json.loads(line)["value"]))
"""
CATALOG = {
    "streams": [
        {
            "tap_stream_id": "users",
            "schema": {"properties": {"id": {"type": "integer"}, "email": {"type": "string"}}},
            "metadata": [],
        }
    ]
}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Side:
    """A project of its own for each program: one must not find what the other left."""

    def __init__(self, program: Path, root: Path):
        self.program = program
        self.root = root
        self.record = root / "record"

    def write_project(self, project: dict) -> None:
        """With an id, for Meltano makes one. YAML takes JSON."""
        text = json.dumps({"project_id": "6b0d3c1e-6a52-4f0e-9a3c-0f1177000001", **project})
        (self.root / "meltano.yml").write_text(text)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "TOKEN": "s3cret",
            "RECORD": str(self.record),
            "DISCOVERED": str(self.root / "discovered.json"),
            "PYTHONPATH": "/somewhere",
            "VIRTUAL_ENV": "/elsewhere",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
        }

    def run(self, *words: str) -> int:
        return subprocess.run(
            [self.program, *words],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            stdin=subprocess.DEVNULL,
        ).returncode

    def calls(self) -> list[dict]:
        """What was started, with what must differ made equal."""
        if not self.record.exists():
            return []
        text = self.record.read_text().replace(str(self.root), "ROOT")
        # Meltano shares run/PLUGIN among runs; ours have a directory of their own in it.
        text = re.sub(r"(/run/[\w-]+)/" + ID.pattern + "/", r"\1/", text)
        text = ID.sub("ID", text)
        return [json.loads(line) for line in text.splitlines()]

    def without_secrets(self) -> bool:
        return not list(self.root.glob(".meltano/run/**/*.config.json"))


@pytest.fixture
def sides(tmp_path, meltshim):
    def make(project: dict, files: dict[str, str]) -> tuple[Side, Side]:
        made = []
        for name, program in (("theirs", venv_bin("meltano") / "meltano"), ("ours", meltshim)):
            side = Side(program, tmp_path / name)
            side.root.mkdir()
            side.write_project(project)
            (side.root / "discovered.json").write_text(json.dumps(CATALOG))
            (side.root / "plugin").write_text(RECORDER)
            (side.root / "plugin").chmod(0o755)
            for path, text in files.items():
                (side.root / path).parent.mkdir(parents=True, exist_ok=True)
                (side.root / path).write_text(text)
            made.append(side)
        return tuple(made)

    return make


def by_program(calls: list[dict]) -> list[dict]:
    """In a pipeline the order of the starts is left to chance."""
    return sorted(calls, key=lambda call: call["argv"][0])


def assert_same_calls(theirs: Side, ours: Side) -> None:
    expected, actual = by_program(theirs.calls()), by_program(ours.calls())
    assert [call["argv"] for call in actual] == [call["argv"] for call in expected]
    for one, other in zip(actual, expected):
        assert one["files"] == other["files"]
        assert one["cwd"] == other["cwd"]
        assert {**one["env"], "_": ""} == {**other["env"], "_": ""}
    assert ours.without_secrets()


def tap(capabilities: list[str], **keys) -> dict:
    entry = {
        "name": "tap-x",
        "namespace": "tap_x",
        "executable": "./plugin",
        "capabilities": capabilities,
        "settings": [{"name": "token", "sensitive": True}, {"name": "port", "kind": "integer"}],
        "config": {"token": "$TOKEN", "port": "5432", "auth.user": "bob", "unset": None},
        "select": ["users.*", "!users.email"],
        "metadata": {"users": {"replication-method": "FULL_TABLE"}},
        "env": {"TAP_OWN": "$TOKEN-x"},
        **keys,
    }
    return {
        "default_environment": "dev",
        "environments": [{"name": "dev", "env": {"STAGE": "dev"}}],
        "env": {"ROOT_OWN": "r"},
        "plugins": {"extractors": [entry]},
    }


OWN_CATALOG = {".meltano/extractors/tap-x/tap.properties.json": json.dumps(CATALOG)}
OWN_STATE = {".meltano/extractors/tap-x/state.json": '{"bookmarks": {}}'}

CAPABILITIES = [
    ([], {}),
    ([], OWN_CATALOG),
    (["state"], {}),
    (["discover"], {}),
    (["catalog", "discover"], {}),
    (["properties", "discover"], {}),
    (["catalog", "properties", "discover", "state"], OWN_STATE),
    (["catalog"], {}),
    (["catalog"], OWN_CATALOG),
    (["properties"], OWN_CATALOG),
    (["catalog", "discover", "structured-logging", "about", "batch"], OWN_CATALOG),
]


@pytest.mark.parametrize("capabilities, files", CAPABILITIES)
def test_a_tap_is_started_by_its_capabilities(sides, capabilities, files):
    theirs, ours = sides(tap(capabilities), files)
    expected, actual = theirs.run("invoke", "tap-x"), ours.run("invoke", "tap-x")
    assert (actual == 0) == (expected == 0)
    assert_same_calls(theirs, ours)


@pytest.mark.parametrize("capabilities", [["catalog", "discover", "state"], ["discover"], []])
def test_a_tap_with_arguments_gets_what_lies_ready(sides, capabilities):
    theirs, ours = sides(tap(capabilities), {**OWN_CATALOG, **OWN_STATE})
    for side in (theirs, ours):
        assert side.run("invoke", "tap-x", "--about", "--format=json") == 0
    assert_same_calls(theirs, ours)


def test_a_catalog_of_the_user_is_passed_as_it_is(sides):
    project = tap(["catalog", "discover"], catalog="mine.json")
    theirs, ours = sides(project, {"mine.json": '{"streams":   []}\n'})
    for side in (theirs, ours):
        assert side.run("invoke", "tap-x") == 0
    assert_same_calls(theirs, ours)


def installed(side: Side) -> None:
    """A program in the plugin's environment, as if it had been installed."""
    folder = side.root / ".meltano/extractors/tap-x/venv/bin"
    folder.mkdir(parents=True)
    shutil.copy(side.root / "plugin", folder / "tap-x")


def test_either_uses_the_catalog_that_the_other_has_cached(sides):
    project = tap(["catalog", "discover"], executable="tap-x", pip_url="tap-x")
    theirs, ours = sides(project, {})
    for side in (theirs, ours):
        installed(side)
        assert side.run("invoke", "--no-install", "tap-x") == 0
    assert_same_calls(theirs, ours)
    cache = Path(".meltano/run/tap-x/tap.properties.json")
    assert (ours.root / cache).read_bytes() == (theirs.root / cache).read_bytes()

    theirs.program, ours.program = ours.program, theirs.program
    for side in (theirs, ours):
        before = len(side.calls())
        assert side.run("invoke", "--no-install", "tap-x") == 0
        assert "--discover" not in side.calls()[before]["argv"]


def test_a_changed_setting_makes_either_discover_again(sides):
    project = tap(["catalog", "discover"], executable="tap-x", pip_url="tap-x")
    theirs, ours = sides(project, {})
    for side in (theirs, ours):
        installed(side)
        assert side.run("invoke", "--no-install", "tap-x") == 0
    project["plugins"]["extractors"][0]["config"]["port"] = 1
    theirs.program, ours.program = ours.program, theirs.program
    for side in (theirs, ours):
        side.write_project(project)
        before = len(side.calls())
        assert side.run("invoke", "--no-install", "tap-x") == 0
        assert "--discover" in side.calls()[before]["argv"]


OTHERS = {
    "plugins": {
        "loaders": [
            {
                "name": "target-x",
                "namespace": "target_x",
                "executable": "./plugin",
                "config": {"dest": "$TOKEN"},
            }
        ],
        "mappers": [
            {
                "name": "mapper-x",
                "namespace": "mapper_x",
                "executable": "plugin",
                "config": {"plain": 1},
                "mappings": [
                    {"name": "m1", "config": {"who": "$TOKEN", "none": "$NOPE", "a.b": [1.50]}}
                ],
            }
        ],
        "utilities": [
            {
                "name": "util",
                "namespace": "util",
                "executable": "./plugin",
                "settings": [{"name": "a.b", "env": "UTIL_OWN"}],
                "config": {"a.b": "x y", "none": "$NOPE"},
                "commands": {
                    "hello": "hi '$UTIL_OWN z' a$NOPE",
                    "other": {"args": "-c x", "executable": "./plugin"},
                    "unset": "$NOPE",
                },
            }
        ],
    }
}


@pytest.mark.parametrize(
    "words",
    [
        ["target-x"],
        ["target-x", "--help"],
        ["m1"],
        ["mapper-x"],
        ["util"],
        ["util", "$TOKEN", "--dump", "x"],
        ["util:hello", "more"],
        ["util:other"],
        ["util:unset"],
        ["util:nope"],
    ],
    ids=" ".join,
)
def test_other_plugins_are_started_alike(sides, words):
    theirs, ours = sides(OTHERS, {})
    for side in (theirs, ours):
        (side.root / "bin").mkdir()
        shutil.copy(side.root / "plugin", side.root / "bin/plugin")
    path = os.environ["PATH"]

    def run(side: Side) -> int:
        environment = {**side.environment(), "PATH": f"{side.root / 'bin'}:{path}"}
        return subprocess.run(
            [side.program, "invoke", *words],
            cwd=side.root,
            env=environment,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        ).returncode

    expected, actual = run(theirs), run(ours)
    assert (actual == 0) == (expected == 0)
    assert_same_calls(theirs, ours)


PIPELINE = {
    "default_environment": "dev",
    "environments": [{"name": "dev"}],
    "plugins": {
        "extractors": [
            {
                "name": "tap-x",
                "namespace": "tap_x",
                "executable": "./speaking-tap",
                "capabilities": ["catalog", "discover", "state"],
                "settings": [{"name": "token", "sensitive": True}],
                "config": {"token": "$TOKEN"},
            }
        ],
        "mappers": [
            {
                "name": "mapper-x",
                "namespace": "mapper_x",
                "executable": "./mapper",
                "mappings": [{"name": "m1", "config": {"from": "$MELTANO_EXTRACTOR_NAME"}}],
            }
        ],
        "loaders": [
            {
                "name": "target-x",
                "namespace": "target_x",
                "executable": "./target",
                "config": {"schema": "$MELTANO_EXTRACT__LOAD_SCHEMA", "from": "$TAP_X_TOKEN"},
            }
        ],
        "utilities": [
            {
                "name": "util",
                "namespace": "util",
                "executable": "./plugin",
                "commands": {"hello": "hi $MELTANO_UTILITY_NAME"},
            }
        ],
    },
}


def test_a_run_gives_every_plugin_the_same(sides):
    """The second run has the state of the first, and the loader knows the extractor."""
    theirs, ours = sides(PIPELINE, {})
    for side in (theirs, ours):
        for name in ("speaking-tap", "mapper", "target"):
            shutil.copy(side.root / "plugin", side.root / name)
        for _ in range(2):
            assert side.run("run", "tap-x", "m1", "target-x", "util:hello") == 0
    assert_same_calls(theirs, ours)
    last = [call["argv"] for call in ours.calls() if "speaking-tap" in call["argv"][0]][-1]
    assert last[-2:] == ["--state", "ROOT/.meltano/run/tap-x/state.json"]


def test_a_value_that_cannot_be_cast_is_refused_before_anything_is_started(sides):
    project = json.loads(json.dumps(PIPELINE))
    loader = project["plugins"]["loaders"][0]
    loader["settings"] = [{"name": "port", "kind": "integer"}]
    loader["config"]["port"] = "abc"
    theirs, ours = sides(project, {})
    for words in (["util:hello", "tap-x", "target-x"], ["--dry-run", "tap-x", "target-x"]):
        for side in (theirs, ours):
            assert side.run("run", *words) != 0
            assert side.calls() == []
