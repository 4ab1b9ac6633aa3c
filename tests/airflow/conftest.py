"""Generated DAG files, read and run by real Airflows."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.airflow import Airflow
from support.paths import venv_bin

HERE = Path(__file__).parent

RECORDER = """#!{python} -SE
import json, os, sys
record = {{
    "argv": sys.argv[1:],
    "env": dict(os.environ),
    "cwd": os.getcwd(),
    "parent": open(f"/proc/{{os.getppid()}}/comm").read().strip(),
}}
with open({output!r}, "a") as lines:
    lines.write(json.dumps(record) + "\\n")
"""


class QuotingDumper(yaml.SafeDumper):
    """Quotes all texts, and escapes everything beyond ASCII: any text gets through unharmed."""


QuotingDumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


class Project:
    """A project of which only the schedules matter, and a program that notes how it is called in
    place of meltshim."""

    def __init__(self, root: Path, dags: Path, meltshim: Path, document: dict):
        self.root = root
        self.dags = dags
        self.records_file = root / "records"
        self.meltshim = meltshim
        root.mkdir(parents=True, exist_ok=True)
        (root / "meltano.yml").write_text(yaml.dump(document, Dumper=QuotingDumper))

        self.program = root / "re'corder \"of\" $calls"
        self.program.write_text(
            RECORDER.format(python=sys.executable, output=str(self.records_file))
        )
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def generate(self, *arguments: str) -> None:
        done = subprocess.run(
            [self.meltshim, "--project-root", self.root, "airflow", "generate",
             "--output", self.dags, "--program", self.program, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stdout

    def records(self) -> list[dict]:
        if not self.records_file.exists():
            return []
        return [json.loads(line) for line in self.records_file.read_text().splitlines()]


@pytest.fixture
def make_project(tmp_path, meltshim):
    def make(document: dict, name: str = "project") -> Project:
        # Not in the project: Airflow expands variables in the name of the DAG folder.
        return Project(tmp_path / name, tmp_path / "dags", meltshim, document)

    return make


class DagReader:
    """Reads DAG files with one version of Airflow, and runs them in one process."""

    def __init__(self, home: Path, venv: str):
        self.airflow = Airflow(home, home / "no-dags", venv=venv)
        self.airflow.migrate()
        self.home = home
        self.python = venv_bin(venv) / "python"

    def read(self, folder: Path, *arguments: str) -> dict:
        """What Airflow finds in a folder: {"dags": {id: ...}, "errors": {file: text}}."""
        answer = self.home / "answer.json"
        done = subprocess.run(
            [self.python, HERE / "read_dags.py", folder, answer, *arguments],
            env={**self.airflow.env, "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
                 "PYTHONPATH": str(HERE / "modules")},
            cwd=self.home,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=300,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return json.loads(answer.read_text())

    def run(self, folder: Path) -> dict:
        """Runs every DAG once; each then has a "state"."""
        return self.read(folder, "--run")


def make_reader(request, tmp_path_factory) -> DagReader:
    return DagReader(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="session", params=["airflow", "airflow2"])
def reader(request, tmp_path_factory) -> DagReader:
    """The newest Airflow of each major version."""
    return make_reader(request, tmp_path_factory)


@pytest.fixture(scope="session", params=["airflow", "airflow2", "airflow27"])
def any_reader(request, tmp_path_factory) -> DagReader:
    """The same, and the oldest that is supported."""
    return make_reader(request, tmp_path_factory)
