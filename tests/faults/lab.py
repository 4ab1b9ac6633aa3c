"""A project whose plugins fail on demand, and what is left of it afterwards."""

import dataclasses
import json
import os
import signal
import sqlite3
import subprocess
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

import psycopg2
import pytest

PLUGINS = Path(__file__).parent / "plugins"
STATE_ID = "dev:tap-a-to-target-b"
MARK = "MELTSHIM_FAULT_LAB"
ENDLESS = [["schema", "users"], ["counted", "users", 10**9, 1, 0.01]]


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


def fill(disk: Path) -> None:
    with open(disk / "ballast", "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(b"\0" * 4096)
        except OSError:
            pass


def read_record(stdout: str | bytes) -> dict:
    """The run record: the last line of standard output."""
    return json.loads(stdout.splitlines()[-1])


class Clocks:
    """Those of meltshim, when it is started with env: they can be moved on while it runs."""

    def __init__(self, lab, inject):
        self.file = lab.root / "passed"
        self.env = inject(passed=self.file)
        self.passed_s = 0
        self.move_on(0)

    def move_on(self, seconds: int) -> None:
        self.passed_s += seconds
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(str(self.passed_s))
        os.replace(fresh, self.file)


@dataclasses.dataclass
class Result:
    status: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def record(self) -> dict:
        return read_record(self.stdout)

    def process(self, plugin: str) -> dict:
        return next(p for p in self.record["processes"] if p["plugin"] == plugin)

    def stream(self, name: str) -> dict:
        return next(s for s in self.record["streams"] if s["name"] == name)

    @property
    def messages(self) -> dict:
        return self.record["blocks"][0]["messages"]


class Lab:
    """One project in a temporary folder; what it starts carries a mark in its environment."""

    def __init__(self, root: Path, meltshim: Path, database_uri: str | None = None):
        self.root = root
        self.meltshim = meltshim
        self.database_uri = database_uri
        self.mark = uuid.uuid4().hex
        self.output = root / "output.jsonl"
        self.confirmed = root / "confirmed"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "LANG": "C.UTF-8",
            MARK: self.mark,
        }
        if database_uri:
            self.env["MELTANO_DATABASE_URI"] = database_uri
        self.prepare()

    def prepare(self, steps=(), target=None, mapper=None, discovery=None) -> None:
        """Writes the project file; YAML takes JSON. discovery: steps before a catalog is given."""

        def plugin(name: str, program: str, config: dict, **keys) -> dict:
            return {
                "name": name,
                "namespace": name.replace("-", "_"),
                "executable": str(PLUGINS / program),
                "config": config,
                **keys,
            }

        paths = {"output": str(self.output), "confirmed": str(self.confirmed)}
        target = {**paths, **(target or {})}
        tap = {"steps": list(steps)}
        capabilities = ["state"]
        if discovery is not None:
            tap["discovery"] = discovery
            capabilities += ["discover", "catalog"]
        mappings = [{"name": "pass", "config": mapper or {}}]
        project = {
            "default_environment": "dev",
            "environments": [{"name": "dev"}],
            "plugins": {
                "extractors": [plugin("tap-a", "tap", tap, capabilities=capabilities)],
                "mappers": [plugin("map-a", "mapper", {}, mappings=mappings)],
                "loaders": [plugin("target-b", "target", target)],
            },
        }
        (self.root / "meltano.yml").write_text(json.dumps(project, indent=2) + "\n")

    def start(self, *arguments: str, env=None, **options) -> subprocess.Popen:
        return subprocess.Popen(
            [self.meltshim, *arguments],
            cwd=self.root,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    def run(self, *arguments: str, env=None, timeout=60) -> Result:
        started = time.monotonic()
        process = self.start(*arguments, env=env)
        stdout, stderr = process.communicate(timeout=timeout)
        return Result(
            process.returncode,
            stdout.decode(),
            stderr.decode(errors="replace"),
            time.monotonic() - started,
        )

    def load(self, *options: str, steps=(), target=None, mapper=None, **more) -> Result:
        """One run of the tap and the target, with the mapping between when it is configured."""
        self.prepare(steps, target, mapper)
        words = ["tap-a", "pass", "target-b"] if mapper is not None else ["tap-a", "target-b"]
        return self.run("run", *options, *words, **more)

    def start_and_wait_for_state(self, steps=ENDLESS, target=None, **more) -> subprocess.Popen:
        """A run that goes on until it is ended; its first state is committed."""
        self.prepare(steps, target)
        before = self.committed()
        process = self.start("run", "tap-a", "target-b", **more)
        self.wait_for(lambda: self.committed() > before)
        return process

    def connect(self):
        if self.database_uri:
            connection = psycopg2.connect(self.database_uri)
            connection.autocommit = True
            return connection
        path = f"file:{self.root}/.meltano/meltano.db?mode=ro"
        return sqlite3.connect(path, uri=True, timeout=30)

    def query(self, sql: str) -> list[tuple]:
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()
        finally:
            connection.close()

    def execute(self, sql: str) -> None:
        """For statements that change a PostgreSQL database."""
        connection = self.connect()
        connection.cursor().execute(sql)
        connection.close()

    def drop_database(self) -> None:
        """SQLite's is in the system directory."""
        if self.database_uri:
            self.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def has_tables(self) -> bool:
        """Whether a run has got as far as making a database."""
        try:
            return bool(self.query("SELECT COUNT(*) FROM meltshim_runs"))
        except (sqlite3.OperationalError, psycopg2.errors.UndefinedTable):
            return False

    def state(self, state_id=STATE_ID) -> dict | None:
        rows = self.query(f"SELECT completed_state FROM state WHERE state_id = '{state_id}'")
        return json.loads(rows[0][0])["singer_state"] if rows else None

    def committed(self) -> int:
        """The bookmark of the steps that count, 0 when there is none."""
        state = self.state() if self.has_tables() else None
        return state["bookmarks"]["users"]["id"] if state else 0

    def versions(self) -> int:
        ((count,),) = self.query("SELECT COUNT(*) FROM meltshim_state_history")
        return count

    def row_states(self) -> list[str]:
        return [state for (state,) in self.query("SELECT state FROM runs ORDER BY id")]

    def last_begin(self) -> float:
        """When the newest run had its lock and its row, in seconds of the epoch."""
        ((at,),) = self.query("SELECT started_at FROM runs ORDER BY id DESC LIMIT 1")
        at = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        return at.replace(tzinfo=timezone.utc).timestamp()

    def loaded(self) -> list[int]:
        return [json.loads(line)["record"]["id"] for line in self.output.read_text().splitlines()]

    def confirmations(self) -> list[int]:
        """The bookmarks that the target has confirmed, each noted before it was sent."""
        return (
            [int(line) for line in self.confirmed.read_text().split()]
            if self.confirmed.exists()
            else []
        )

    def check_wholeness(self) -> None:
        """What holds of a database at any moment, whoever died."""
        if not self.database_uri:
            assert self.query("PRAGMA integrity_check") == [("ok",)]
        versions = self.query(
            "SELECT state_id, COUNT(*), MIN(version), MAX(version) FROM meltshim_state_history"
            " GROUP BY state_id"
        )
        for state_id, count, first, last in versions:
            assert (first, last) == (1, count), f"the ledger of {state_id} has gaps"
        assert not self.query(
            "SELECT job_name, COUNT(*) FROM runs WHERE state = 'RUNNING' GROUP BY job_name"
            " HAVING COUNT(*) > 1"
        )

    def survivors(self) -> list[int]:
        """Processes that carry our mark."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                environ = (entry / "environ").read_bytes() if entry.name.isdigit() else b""
                state = (
                    (entry / "stat").read_text().rpartition(")")[2].split()[0] if environ else ""
                )
            except OSError:
                continue
            if f"{MARK}={self.mark}".encode() in environ.split(b"\0") and state != "Z":
                found.append(int(entry.name))
        return found

    def plugin_pids(self, program: str) -> list[int]:
        """The processes that run one of our plugins: tap, mapper or target."""
        found = []
        for pid in self.survivors():
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word.endswith(f"plugins/{program}".encode()) for word in words[:3]):
                found.append(pid)
        return found

    def wait_for(self, condition, seconds=20.0):
        """Polls until condition() holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            time.sleep(0.01)

    def wait_until_gone(self, seconds=5.0) -> None:
        self.wait_for(lambda: not self.survivors(), seconds)

    def count_survivors(self, seconds=5.0) -> int:
        """How many are still there after that time."""
        deadline = time.monotonic() + seconds
        while self.survivors() and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(self.survivors())

    def end_survivors(self) -> None:
        for pid in self.survivors():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
