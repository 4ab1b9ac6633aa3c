"""One system database, used by both programs by turns."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from support.oracle import clean_environment
from support.paths import MELTSHIM, venv_bin

STATE_ID = "dev:tap-count-to-target-echo"
RUN = ["run", "tap-count", "target-echo"]

# What a PostgreSQL schema holds: columns, keys, sequences.
DESCRIBE = """
SELECT 'column', table_name, column_name, data_type, character_maximum_length, is_nullable,
       column_default
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name NOT LIKE 'meltshim%'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL, NULL, NULL
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'meltshim%'
UNION ALL
SELECT 'relation', relname, relkind::text, NULL, NULL, NULL,
       (SELECT string_agg(refobjid::regclass || '.' || refobjsubid, ',') FROM pg_depend
        WHERE objid = pg_class.oid AND deptype = 'a' AND relkind = 'S')
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'meltshim%'
ORDER BY 1, 2, 3
"""


class Pair:
    """A project whose database either program can be told to use."""

    def __init__(self, programs, root, env):
        self.meltano, self.meltshim = programs
        self.root = root
        self.env = env

    def run(self, program, *words, **env):
        return program.run(list(words), self.root, {**self.env, **env})

    def succeed(self, program, *words, **env):
        result = self.run(program, *words, **env)
        assert result.status == 0, f"{program.name} {words}: {result.stderr}"
        return result

    def state(self, program) -> dict:
        return json.loads(self.succeed(program, "state", "get", STATE_ID).stdout)

    def last(self, program) -> int:
        return self.state(program)["singer_state"]["last"]

    @contextlib.contextmanager
    def running(self, command, **env):
        """The pipeline, kept alive by its tap."""
        process = subprocess.Popen(
            [*command, *RUN],
            cwd=self.root,
            env={**self.env, "TAP_COUNT_SECONDS": "60", **env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture(params=["sqlite", "postgres"])
def pair(request, programs, tmp_path):
    source = request.path.parent / "projects" / "pair"
    root = shutil.copytree(source, tmp_path / "pair")
    env = clean_environment(tmp_path / "home")
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        name = f"pair_{os.getpid()}_{time.monotonic_ns()}"
        env["MELTANO_DATABASE_URI"] = server.create_database(name)
    return Pair(programs, root, env)


def programs_of(pair):
    return [pair.meltano, pair.meltshim]


@pytest.mark.parametrize("first", [0, 1])
def test_each_continues_the_state_of_the_other(pair, first):
    one, other = programs_of(pair)[:: -1 if first else 1]
    pair.succeed(one, *RUN)
    assert pair.last(other) == 3
    pair.succeed(other, *RUN)
    pair.succeed(one, *RUN)
    assert pair.last(one) == pair.last(other) == 9
    assert pair.state(one) == pair.state(other)


@pytest.mark.parametrize("first", [0, 1])
def test_each_merges_into_the_partial_state_of_the_other(pair, first):
    one, other = programs_of(pair)[:: -1 if first else 1]
    pair.succeed(one, *RUN)
    pair.succeed(other, "run", "--full-refresh", *RUN[1:])
    assert pair.last(one) == pair.last(other) == 3
    pair.succeed(one, "state", "merge", STATE_ID, '{"singer_state": {"more": [1]}}')
    assert pair.state(other)["singer_state"] == {"last": 3, "rate": 0.1, "more": [1]}
    pair.succeed(other, "state", "clear", "--force", STATE_ID)
    assert pair.state(one) == {}


def test_runs_are_read_by_both(pair):
    pair.succeed(pair.meltano, *RUN)
    pair.succeed(pair.meltshim, *RUN)
    theirs = json.loads(pair.succeed(pair.meltano, "logs", "list", "--format=json").stdout)
    ours = json.loads(pair.succeed(pair.meltshim, "logs", "list", "--format=json").stdout)
    keys = ["log_id", "job_name", "state"]
    assert [[run[key] for key in keys] for run in theirs["runs"]] == [
        [run[key] for key in keys] for run in ours["runs"]
    ]
    assert [run["state"] for run in ours["runs"]] == ["SUCCESS", "SUCCESS"]


def wait_until_running(pair, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read().decode()
        with contextlib.suppress(KeyError):
            if pair.last(pair.meltshim):
                return
        time.sleep(0.1)
    raise AssertionError("the run saved no state within a minute")


def test_meltano_respects_our_running_run(pair):
    with pair.running([MELTSHIM]) as process:
        wait_until_running(pair, process)
        result = pair.run(pair.meltano, *RUN)
    assert result.status == 1
    assert f"Another '{STATE_ID}' pipeline is already running" in result.stderr


def test_we_respect_a_running_run_of_meltano(pair):
    with pair.running([venv_bin("meltano") / "meltano"]) as process:
        wait_until_running(pair, process)
        result = pair.run(pair.meltshim, *RUN)
    assert result.status != 0
    assert f"Another '{STATE_ID}' pipeline is already running" in result.stderr


def test_a_killed_run_does_not_block_the_next(pair):
    """Meltano refuses for five minutes after its own runs are killed; we need not after ours."""
    with pair.running([MELTSHIM]) as process:
        wait_until_running(pair, process)
    pair.succeed(pair.meltshim, *RUN)
    assert pair.last(pair.meltano) == 6
    runs = json.loads(pair.succeed(pair.meltano, "logs", "list", "--format=json").stdout)["runs"]
    assert [run["state"] for run in runs] == ["SUCCESS", "FAIL"]


SETTINGS = {
    "text": "it's \u00e9",
    "seconds": 70000,
    "flag": True,
    "list": [1, "a", None],
    "map": {"a": {"b": [1.5, 12345678901234567890]}},
}


@pytest.mark.parametrize("first", [0, 1])
def test_settings_in_the_database_are_read_by_both(pair, first):
    one, other = programs_of(pair)[:: -1 if first else 1]
    for name, value in SETTINGS.items():
        text = value if isinstance(value, str) else json.dumps(value)
        pair.succeed(one, "config", "set", "--store=db", "tap-count", name, text)
    for program in one, other:
        result = pair.succeed(program, "config", "print", "tap-count", "--format=json")
        assert json.loads(result.stdout) == SETTINGS


# --- the tables -----------------------------------------------------------------------------------


def sqlite_tables(path) -> list[tuple]:
    with sqlite3.connect(path) as database:
        return database.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master "
            "WHERE tbl_name NOT LIKE 'meltshim%' ORDER BY name"
        ).fetchall()


@pytest.fixture
def two_roots(request, programs, tmp_path):
    source = request.path.parent / "projects" / "pair"
    env = clean_environment(tmp_path / "home")
    return [
        (program, shutil.copytree(source, tmp_path / program.name), env) for program in programs
    ]


def test_sqlite_tables_are_the_same_to_the_byte(two_roots):
    tables = []
    for program, root, env in two_roots:
        result = program.run(["state", "set", "--force", "x", '{"singer_state": {}}'], root, env)
        assert result.status == 0, result.stderr
        tables.append(sqlite_tables(root / ".meltano" / "meltano.db"))
    assert tables[0] == tables[1]


def test_postgres_tables_are_the_same(two_roots, postgres):
    described = []
    for program, root, env in two_roots:
        name = f"tables_{program.name}_{time.monotonic_ns()}"
        uri = postgres.create_database(name)
        words = ["state", "set", "--force", "x", '{"singer_state": {}}']
        result = program.run(words, root, {**env, "MELTANO_DATABASE_URI": uri})
        assert result.status == 0, result.stderr
        described.append(postgres.psql(DESCRIBE, name))
    assert described[0] == described[1]


# Brings a database to one of Meltano's revisions: argv is the URI and the revision.
MIGRATE = """
import sys
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from meltano.migrations import MIGRATION_DIR
with create_engine(sys.argv[1]).begin() as connection:
    config = Config()
    config.attributes["connection"] = connection
    config.set_main_option("script_location", str(MIGRATION_DIR))
    command.upgrade(config, sys.argv[2])
"""


def migrate(uri: str, revision: str) -> None:
    python = venv_bin("meltano") / "python"
    subprocess.run([python, "-c", MIGRATE, uri, revision], check=True, capture_output=True)


# The oldest that is brought forward, one before each change of the table of runs, the last two.
REVISIONS = ["53e97221d99f", "367228df6a43", "d135f52a6f49", "13e8639c6d2b", "f4c225a9492f"]


@pytest.mark.parametrize("revision", [*REVISIONS, "6828cc5b1a4f"])
def test_an_older_database_is_brought_forward(pair, revision):
    uri = pair.env.setdefault("MELTANO_DATABASE_URI", f"sqlite:///{pair.root}/old.db")
    migrate(uri, revision)
    pair.succeed(pair.meltshim, *RUN)
    pair.succeed(pair.meltano, *RUN)
    assert pair.last(pair.meltshim) == 6
    if uri.startswith("sqlite"):
        new = pair.root / "new.db"
        env = {"MELTANO_DATABASE_URI": f"sqlite:///{new}"}
        pair.succeed(pair.meltano, "state", "list", **env)
        assert sqlite_tables(pair.root / "old.db") == sqlite_tables(new)
