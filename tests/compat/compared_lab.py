"""The project tests/compat/projects/lab, whose plugins leave what they were given in seen/."""

import json
import re
import sqlite3
from pathlib import Path

import yaml

from support.oracle import Result

# New in every run, so only that they are there is compared.
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}")

# Ours gives every run a folder of its own, where Meltano's runs overwrite each other's files.
RUN_FOLDER = re.compile(r"(\.meltano/run/[^/\"]+)/<uuid>/")


class Lab:
    """One program's copy of the project."""

    def __init__(self, program, root: Path, env: dict[str, str]):
        self.program = program
        self.root = root
        self.env = env

    def run(self, *arguments: str, **env: str) -> Result:
        return self.program.run(list(arguments), self.root, {**self.env, **env}).without(self.root)

    def succeed(self, *arguments: str, **env: str) -> Result:
        result = self.run(*arguments, **env)
        assert result.status == 0, f"{self.program.name}: {result.stderr}"
        return result

    def edit(self, change) -> None:
        """Rewrites meltano.yml after change(definition)."""
        file = self.root / "meltano.yml"
        definition = yaml.safe_load(file.read_text())
        change(definition)
        file.write_text(yaml.safe_dump(definition, sort_keys=False))

    def seen(self, name: str) -> dict | None:
        """What the plugin was given, without what is new in every run; None if never started."""
        file = self.root / "seen" / f"{name}.json"
        if not file.exists():
            return None
        text = file.read_text().replace(str(self.root), "<project>")
        text = TIME.sub("<time>", UUID.sub("<uuid>", text))
        return json.loads(RUN_FOLDER.sub(r"\1/", text))

    def seen_names(self) -> list[str]:
        return sorted(file.stem for file in (self.root / "seen").glob("*.json"))

    def records(self, stream: str) -> list[int]:
        file = self.root / "output" / f"{stream}.jsonl"
        return [json.loads(line)["id"] for line in file.read_text().splitlines()]

    def query(self, sql: str) -> list[tuple]:
        with sqlite3.connect(self.root / ".meltano" / "meltano.db") as database:
            return database.execute(sql).fetchall()
