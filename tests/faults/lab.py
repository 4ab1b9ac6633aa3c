"""A project whose plugins fail on demand, and what is left of it afterwards."""

import dataclasses
import json
import os
import signal
import sqlite3
import subprocess
import time
import uuid
from pathlib import Path

PLUGINS = Path(__file__).parent / "plugins"
STATE_ID = "dev:tap-a-to-target-b"
MARK = "MELTSHIM_FAULT_LAB"


@dataclasses.dataclass
class Result:
    status: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def record(self) -> dict:
        """The run record: the last line of standard output."""
        return json.loads(self.stdout.splitlines()[-1])

    def process(self, plugin: str) -> dict:
        return next(p for p in self.record["processes"] if p["plugin"] == plugin)

    def stream(self, name: str) -> dict:
        return next(s for s in self.record["streams"] if s["name"] == name)

    @property
    def messages(self) -> dict:
        return self.record["blocks"][0]["messages"]


class Lab:
    """One project in a temporary folder; what it starts carries a mark in its environment."""

    def __init__(self, root: Path, meltshim: Path):
        self.root = root
        self.meltshim = meltshim
        self.mark = uuid.uuid4().hex
        self.output = root / "output.jsonl"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "LANG": "C.UTF-8",
            MARK: self.mark,
        }
        self.prepare()

    def prepare(self, steps=(), target=None, mapper=None) -> None:
        """Writes the project file; YAML takes JSON."""

        def plugin(name: str, program: str, config: dict, **keys) -> dict:
            return {
                "name": name,
                "namespace": name.replace("-", "_"),
                "executable": str(PLUGINS / program),
                "config": config,
                **keys,
            }

        target = {"output": str(self.output), **(target or {})}
        mappings = [{"name": "pass", "config": mapper or {}}]
        project = {
            "default_environment": "dev",
            "environments": [{"name": "dev"}],
            "plugins": {
                "extractors": [
                    plugin("tap-a", "tap", {"steps": list(steps)}, capabilities=["state"])
                ],
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

    def query(self, sql: str) -> list[tuple]:
        database = sqlite3.connect(f"file:{self.root}/.meltano/meltano.db?mode=ro", uri=True)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def state(self, state_id=STATE_ID) -> dict | None:
        rows = self.query(f"SELECT completed_state FROM state WHERE state_id = '{state_id}'")
        return json.loads(rows[0][0])["singer_state"] if rows else None

    def row_states(self) -> list[str]:
        return [state for (state,) in self.query("SELECT state FROM runs ORDER BY id")]

    def loaded(self) -> list[int]:
        return [json.loads(line)["record"]["id"] for line in self.output.read_text().splitlines()]

    def survivors(self) -> list[int]:
        """Processes that carry our mark."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                environ = (entry / "environ").read_bytes() if entry.name.isdigit() else b""
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0] if environ else ""
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
            if any(word.endswith(f"plugins/{program}".encode()) for word in words[:2]):
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

    def end_survivors(self) -> None:
        for pid in self.survivors():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
