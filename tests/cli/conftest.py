"""A small project, and the program started in it as a user would."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

PROJECT = """\
default_environment: dev
environments:
- name: dev
- name: prod
plugins:
  extractors:
  - name: tap-a
    namespace: tap_a
    executable: bin/tap-a
    capabilities: [catalog, discover, state]
    settings:
    - name: port
      kind: integer
      value: 5432
    - name: password
      sensitive: true
    config:
      password: hunter2
  loaders:
  - name: target-b
    namespace: target_b
    executable: bin/target-b
  utilities:
  - name: util
    namespace: util
    executable: /bin/sh
    commands:
      hello: -c "echo hello"
      test-good: -c true
      test-bad: -c "exit 3"
jobs:
- name: j1
  tasks:
  - tap-a target-b
  - [util:hello]
schedules:
- name: by-elt
  interval: '@daily'
  extractor: tap-a
  loader: target-b
  transform: skip
  env:
    A: '1'
- name: by-job
  interval: '*/5 * * * *'
  job: j1
"""

TAP = """\
#!/bin/sh
case "$*" in
*--discover*)
    echo '{"streams": [{"tap_stream_id": "users", "stream": "users",'
    echo '"schema": {"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}},'
    echo '"metadata": [{"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},'
    echo '{"breadcrumb": ["properties", "name"], "metadata": {"inclusion": "available"}}]}]}'
    ;;
*)
    echo "tap started" >&2
    echo '{"type": "SCHEMA", "stream": "users", "schema": {}, "key_properties": []}'
    echo '{"type": "RECORD", "stream": "users", "record": {"id": 1}}'
    echo '{"type": "STATE", "value": {"bookmarks": {"users": 1}}}'
    ;;
esac
"""

TARGET = """\
#!/bin/sh
while read -r line; do
    case $line in
    *STATE*) echo '{"bookmarks": {"users": 1}}' ;;
    esac
done
"""


@dataclasses.dataclass
class Result:
    status: int
    out: str
    err: str


class Shell:
    """Starts the program; nothing of the environment of the tests reaches it."""

    def __init__(self, program: Path, directory: Path):
        self.program = program
        self.directory = directory
        self.env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(directory),
            "XDG_CACHE_HOME": str(directory / "cache"),
        }

    def __call__(self, *words: str, stdin: str = "", cwd: Path | None = None, **env: str) -> Result:
        done = subprocess.run(
            [str(self.program), *words],
            cwd=cwd or self.directory,
            env={**self.env, **env},
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=60,
        )
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def shell(meltshim, tmp_path) -> Shell:
    """Outside any project."""
    return Shell(meltshim.resolve(), tmp_path)


@pytest.fixture
def project(shell) -> Shell:
    directory = shell.directory / "project"
    directory.mkdir()
    (directory / "meltano.yml").write_text(PROJECT)
    (directory / "bin").mkdir()
    for name, text in (("tap-a", TAP), ("target-b", TARGET)):
        path = directory / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
    shell.directory = directory
    return shell
