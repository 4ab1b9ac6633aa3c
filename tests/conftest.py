"""Fixtures for all suites; the heavier ones live as long as the session."""

import json
import os
import signal
from pathlib import Path

import jsonschema
import pytest

from support.hub import HubServer
from support.paths import MELTSHIM, ROOT, SHARED
from support.postgres import PostgresServer

# A background job is started with these ignored, and what a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in signal.SIGHUP, signal.SIGQUIT:
    signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def meltshim() -> Path:
    if not MELTSHIM.exists():
        pytest.fail(f"{MELTSHIM} is missing: run make")
    return MELTSHIM


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real projects and the plugin hub as data, which are not part of the repository."""
    if not SHARED.is_dir():
        reason = f"no test data in {SHARED}: set MELTSHIM_SHARED to where it is"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return SHARED


@pytest.fixture(scope="session")
def hub(shared):
    with HubServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres():
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def check_record():
    """Parses a run record and checks it against its schema."""
    schema = json.loads((ROOT / "docs" / "run-record.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)

    def check(text: str) -> dict:
        record = json.loads(text)
        validator.validate(record)
        return record

    return check
