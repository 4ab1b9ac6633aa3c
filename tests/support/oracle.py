"""The Python Meltano of locks/meltano.lock, and our program, behind one call.

    result = Meltano().run(["config", "print", "tap-x"], project)

What a pure command (one that only reads the project) answered is kept in build/compat/answers, by
the content of the project, the arguments, the environment and the version.
"""

import dataclasses
import functools
import hashlib
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from support.paths import BUILD, MELTSHIM, ROOT, venv_bin

ANSWERS = BUILD / "compat" / "answers"
WORKER = Path(__file__).with_name("oracle_worker.py")


@dataclasses.dataclass
class Result:
    status: int
    stdout: str
    stderr: str

    def without(self, path: Path) -> "Result":
        """The same with the project's own path made neutral, so that two copies compare."""
        return Result(
            self.status,
            self.stdout.replace(str(path), "<project>"),
            self.stderr.replace(str(path), "<project>"),
        )


def as_meltano_lists(arguments: list[str], stdout: str) -> str:
    """Without what our `schedule list` prints in addition, for the DAG generator of files-airflow."""
    if arguments[-3:] == ["schedule", "list", "--format=json"]:
        return re.sub(r'^ *"start_date": .*,\n', "", stdout, flags=re.MULTILINE)
    return stdout


def clean_environment(home: Path, **extra: str) -> dict[str, str]:
    """What both programs are started with: nothing of the developer's own settings, and a hub at
    a port where nobody listens."""
    home = Path(home)
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
        "MELTANO_HUB_URL": "http://127.0.0.1:9",
        **extra,
    }


class Meltano:
    """One imported Meltano; each command runs in a fork of it."""

    name = "meltano"

    def __init__(self, environment: str = "meltano"):
        self._worker = subprocess.Popen(
            [venv_bin(environment) / "python", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self._worker.stdin.close()
        self._worker.wait()
        self._worker.stdout.close()

    def run(self, arguments: list[str], cwd: Path, env: dict[str, str]) -> Result:
        with tempfile.TemporaryDirectory() as outputs:
            stdout, stderr = Path(outputs, "stdout"), Path(outputs, "stderr")
            request = {
                "argv": arguments,
                "cwd": str(cwd),
                "env": env,
                "stdout": str(stdout),
                "stderr": str(stderr),
            }
            self._worker.stdin.write(json.dumps(request) + "\n")
            self._worker.stdin.flush()
            status = int(self._worker.stdout.readline())
            return Result(
                status,
                stdout.read_text(encoding="utf-8", errors="surrogateescape"),
                stderr.read_text(encoding="utf-8", errors="surrogateescape"),
            )

    def ask(self, arguments: list[str], cwd: Path, env: dict[str, str]) -> Result:
        """Like run(), for a pure command."""
        # The hub has another port in each session, and always the same answers.
        variables = sorted((env | {"MELTANO_HUB_URL": ""}).items())
        question = [_version(), _content(cwd), str(cwd), arguments, variables]
        key = hashlib.sha256(json.dumps(question).encode()).hexdigest()
        answer = ANSWERS / key[:2] / f"{key}.json"
        if answer.exists():
            return Result(**json.loads(answer.read_text()))
        result = self.run(arguments, cwd, env)
        answer.parent.mkdir(parents=True, exist_ok=True)
        partial = answer.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(dataclasses.asdict(result)))
        partial.rename(answer)
        return result


class Meltshim:
    """Our program, called the same way."""

    name = "meltshim"

    def run(self, arguments: list[str], cwd: Path, env: dict[str, str]) -> Result:
        done = subprocess.run(
            [MELTSHIM, *arguments],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=300,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    ask = run


@functools.cache
def _version() -> str:
    lock = (ROOT / "tests" / "support" / "locks" / "meltano.lock").read_bytes()
    return hashlib.sha256(lock + WORKER.read_bytes()).hexdigest()


def _content(project: Path) -> str:
    """A checksum of the project's own files; what a program keeps in .meltano is left out."""
    digest = hashlib.sha256()
    for file in sorted(project.rglob("*")):
        relative = file.relative_to(project)
        if relative.parts[0] != ".meltano" and file.is_file():
            digest.update(f"{relative}\0{file.stat().st_mode}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
