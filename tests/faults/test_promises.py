"""docs/reliability.md names the test that holds each promise."""

import re

from support.paths import ROOT

NAMED_TEST = re.compile(r"`(tests/[\w/.]+)::(\w+)`")
# Without its file, and perhaps only how it begins: a name of at least four words.
SHORT_NAME = re.compile(r"`([a-z0-9]+(?:_[a-z0-9]+){3,})(_?\.\.\.)?`")
DEFINITION = re.compile(r"^(?:START_TEST\(|def )(\w+)", re.MULTILINE)


def test_every_test_that_is_named_exists():
    named = NAMED_TEST.findall((ROOT / "docs" / "reliability.md").read_text())
    assert len(named) > 40
    for path, name in named:
        source = (ROOT / path).read_text()
        definition = f"START_TEST({name})" if path.endswith(".c") else f"def {name}("
        assert definition in source, f"{path}::{name} is promised and does not exist"


def test_every_test_that_is_named_without_its_file_exists():
    named = SHORT_NAME.findall((ROOT / "docs" / "reliability.md").read_text())
    sources = [*(ROOT / "tests").rglob("*_test.c"), *(ROOT / "tests").rglob("test_*.py")]
    tests = {name for path in sources for name in DEFINITION.findall(path.read_text())}
    assert len(named) > 5
    for name, is_cut in named:
        assert name in tests or (is_cut and any(test.startswith(name) for test in tests)), name


def promises() -> list[str]:
    """The rows of the tables that have a column for it."""
    rows, is_promise = [], False
    for line in (ROOT / "docs" / "reliability.md").read_text().splitlines():
        if not line.startswith("|"):
            is_promise = False
        elif line == "| when | what holds | test |":
            is_promise = True
        elif is_promise and not line.startswith("|---"):
            rows.append(line)
    return rows


def test_every_promise_names_a_test():
    assert len(promises()) > 30
    for row in promises():
        assert NAMED_TEST.search(row), row
