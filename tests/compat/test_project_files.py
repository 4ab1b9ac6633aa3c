"""Forms of meltano.yml: what Meltano reads, we read as the same; what it refuses, we refuse, and say
where."""

import json

import pytest

from support.oracle import as_meltano_lists

BASE = """\
project_id: forms
default_environment: dev
environments:
- name: dev
plugins:
  extractors:
  - name: tap
    namespace: form_tap
    executable: ./bin/tap
    capabilities: [state]
    settings:
    - name: value
    config:
      value: {value}
jobs:
- name: job
  tasks:
  - tap target
schedules:
- name: schedule
  interval: '@daily'
  job: job
"""

PLAIN = BASE.format(value="5")

# Where ours differs, and why that is better. True: ours reads it, and Meltano ends in a traceback.
DIFFERENCES = {
    "!!str 5": True,
    "=": True,
    "<<": True,
    "\t": True,
    "!!binary aGk=": False,  # JSON, which plugins are given, has no bytes
    "!!set {a, b}": False,  # nor sets
}


def edited(old: str, new: str, count: int = -1) -> str:
    assert old in PLAIN
    return PLAIN.replace(old, new, count)


VALUES = [
    "yes", "no", "on", "Off", "true", "TRUE", "012", "0o17", "0x1F", "1_000", "1e3", "1.0", ".5",
    "-0", "+1", ".inf", "-.INF", ".nan", "~", "null", "Null", "''", "'null'", "2023-02-05",
    "2023-02-05 10:20:30", "2023-02-05T10:20:30Z", "2023-02-05T10:20:30.5+02:00", "12:30",
    "12:30:45", "190:20:30", "1:2", "0b101", "123456789012345678901234567890",
    "0.1000000000000000055511151231257827", "1e400", "!!str 5", "!!int '5'", "!!float 5",
    "'it''s'", '"tab\\there"', '"\\u00e9\\x41"', "plain with spaces", "a#b", "a # comment",
    "'# no comment'", "[1, a, [2]]", "{a: 1, b: {c: d}}", "[]", "{}",
    "|\n        two\n        lines\n", ">\n        folded\n        text\n",
    "|-\n        stripped\n", "|+\n        kept\n\n", "é", "日本", "=", "<<", "*", "@x", "%x", "`x`",
    "&anchor a", "? a", "- a", "!!binary aGk=", "!!set {a, b}", "a: b", "'a: b'", "\t", "\"\\0\"",
    "2001-13-45", "0.0", "1.", "1e5", "1.5e+3", "685_230.15", "0o8", "08", "08.5", "NO", "y", "n",
    "1,000",
]

TEXTS = {
    "anchors": BASE.format(value="&v 5") + "x-copy: *v\n",
    "merge keys": PLAIN
    + "x-base: &base {name: x, interval: '@weekly', job: job}\n",
    "merged schedule": edited(
        "- name: schedule\n  interval: '@daily'\n",
        "- &s\n  name: schedule\n  interval: '@daily'\n  job: job\n- <<: *s\n  name: second\n",
    ),
    "byte order mark": "\ufeff" + PLAIN,
    "CRLF": edited("\n", "\r\n"),
    "tab": edited("  tasks:", "\ttasks:"),
    "two documents": PLAIN + "---\n{}\n",
    "a document's end": "---\n" + PLAIN + "...\n",
    "empty": "",
    "comment only": "# nothing\n",
    "a list": "- a\n",
    "a text": "text\n",
    "no plugins": "project_id: x\n",
    "null plugins": "project_id: x\nplugins:\n",
    "unknown key": PLAIN + "unknown: 1\n",
    "duplicate key": PLAIN + "project_id: again\n",
    "duplicate setting": BASE.format(value="5\n      value: 6"),
    "duplicate plugin": edited(
        "jobs:", "  - name: tap\n    namespace: again\njobs:", 1
    ),
    "duplicate job": edited("schedules:", "- name: job\n  tasks: []\nschedules:"),
    "duplicate schedule": PLAIN + "- name: schedule\n  interval: '@once'\n  job: job\n",
    "duplicate environment": edited("- name: dev\n", "- name: dev\n- name: dev\n"),
    "plugin without a name": edited("  - name: tap\n    namespace", "  - namespace"),
    "plugin without a definition": edited("    namespace: form_tap\n", ""),
    "unknown plugin type": edited("  extractors:", "  models: []\n  extractors:"),
    "dashboards": edited("  extractors:", "  dashboards: []\n  extractors:"),
    "plugins as a list": "plugins: []\n",
    "null tasks": edited("  - tap target\n", ""),
    "empty tasks": edited("  - tap target\n", "  []\n"),
    "nested tasks": edited("  - tap target", "  - [tap target, tap target]"),
    "schedule of a missing job": edited("  job: job", "  job: nobody"),
    "schedule without a job": edited("  job: job\n", ""),
    "schedule without an interval": edited("  interval: '@daily'\n", ""),
    "bad interval": edited("'@daily'", "'every day'"),
    "six fields": edited("'@daily'", "0 0 0 * * *"),
    "once": edited("'@daily'", "'@once'"),
    "unquoted macro": edited("'@daily'", "@daily"),
    "env with a number": PLAIN + "  env: {A: 5, B: true, C: 0.1, D: null}\n",
    "start date": PLAIN + "  start_date: 2023-02-05\n",
    "inherits from itself": edited("    namespace: form_tap", "    inherit_from: tap"),
    "inherits from nobody": edited(
        "    namespace: form_tap", "    inherit_from: nobody"
    ),
    "include of a missing file": PLAIN + "include_paths: [missing.yml]\n",
    "include of nothing": PLAIN + "include_paths: ['missing/*.yml']\n",
    "include": PLAIN + "include_paths: ['parts/*.yml']\n",
    "include of itself": PLAIN + "include_paths: ['*.yml']\n",
    "include as text": PLAIN + "include_paths: parts/more.yml\n",
    "missing default environment": edited(
        "default_environment: dev", "default_environment: nowhere"
    ),
    "version 1": "version: 1\n" + PLAIN,
    "version 2": "version: 2\n" + PLAIN,
    "required version": PLAIN + "requires_meltano: '>=4'\n",
    "required version of the past": PLAIN + "requires_meltano: '<4'\n",
    "annotations": PLAIN + "annotations: {anything: [goes]}\n",
    "control character": BASE.format(value='"\\a"') + "# \x07\n",
    "invalid UTF-8": PLAIN + "# \udcff\n",
    "unclosed quote": BASE.format(value="'5"),
    "unclosed list": BASE.format(value="[5"),
    "bad indentation": edited("    config:", "   config:"),
    "deep nesting": BASE.format(value="[" * 100 + "]" * 100),
}

COMMANDS = [
    ["config", "print", "tap"],
    ["job", "list", "--format=json"],
    ["schedule", "list", "--format=json"],
]


def compare(labs, text: str) -> None:
    for lab in labs:
        (lab.root / "meltano.yml").write_bytes(text.encode("utf-8", "surrogateescape"))
        (lab.root / "parts").mkdir()
        (lab.root / "parts" / "more.yml").write_text(
            "plugins:\n  extractors:\n  - name: more\n    namespace: more\n"
            "schedules:\n- name: more\n  interval: '@hourly'\n  job: job\n"
        )
        (lab.root / ".env").unlink()
    for command in COMMANDS:
        expected, actual = (lab.run(*command) for lab in labs)
        assert (actual.status == 0) == (expected.status == 0), (command, actual, expected.stderr)
        if expected.status == 0:
            stdout = as_meltano_lists(command, actual.stdout)
            # NaN, which is not equal to itself, as a text.
            ours, theirs = (
                json.loads(text, parse_constant=str) for text in (stdout, expected.stdout)
            )
            assert ours == theirs, command
            assert stdout == expected.stdout, command
        else:
            assert actual.stderr.strip(), "a refusal says why"


@pytest.mark.parametrize("value", [value for value in VALUES if value not in DIFFERENCES])
def test_value(labs, value):
    compare(labs, BASE.format(value=value))


@pytest.mark.parametrize("value", DIFFERENCES)
def test_value_that_differs(labs, value):
    (labs[1].root / "meltano.yml").write_text(BASE.format(value=value))
    result = labs[1].run("config", "print", "tap")
    assert (result.status == 0) == DIFFERENCES[value], result


@pytest.mark.parametrize("case", TEXTS)
def test_text(labs, case):
    compare(labs, TEXTS[case])
