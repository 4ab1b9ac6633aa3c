"""A copy of one of the projects in examples/, with its plugins installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from support.paths import BUILD, EXAMPLES, MELTSHIM, venv_bin

DATA_CACHE = BUILD / "cache" / "data"


def environment(**extra: str) -> dict[str, str]:
    """The developer's own, without what Airflow, Meltano or a plugin would read from it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "MELTANO", "MELTSHIM", "TAP_", "TARGET_"))
    }
    return {
        **kept,
        "PATH": os.pathsep.join([str(BUILD), str(venv_bin("uv")), os.environ["PATH"]]),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(BUILD / "cache" / "uv")),
        **extra,
    }


def get_flights(project: Path, *months: int) -> None:
    command = [venv_bin("uv") / "python", EXAMPLES / "flights" / "get-data", *map(str, months)]
    subprocess.run([*command, "--project", project, "--cache", DATA_CACHE], check=True)


def fill_source(server, *months: int) -> None:
    """Adds months of flights to the source database of examples/warehouse."""
    subprocess.run(
        [EXAMPLES / "warehouse" / "fill-source", *map(str, months)],
        env=environment(
            PYTHON=str(venv_bin("uv") / "python"), CACHE=str(DATA_CACHE), **server.environment()
        ),
        check=True,
    )


class Example:
    def __init__(self, name: str, folder: Path, **env: str):
        self.root = self.copy(name, folder)
        self.dags = folder / "dags"
        self.env = env
        self.run("install")

    @staticmethod
    def copy(name: str, folder: Path) -> Path:
        return Path(shutil.copytree(EXAMPLES / name, folder / name))

    def run(self, *arguments: str) -> str:
        """What the command printed on standard output; it must succeed."""
        done = subprocess.run(
            [MELTSHIM, *arguments],
            cwd=self.root,
            env=environment(**self.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def generate_dags(self) -> Path:
        self.run("airflow", "generate", "--output", str(self.dags))
        return self.dags

    def dag_of(self, schedule: str) -> str:
        dags = json.loads(self.run("airflow", "list", "--format=json"))["dags"]
        return next(dag["dag_id"] for dag in dags if dag["schedule"] == schedule)
