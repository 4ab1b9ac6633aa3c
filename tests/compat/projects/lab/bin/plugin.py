"""What the plugins of this project have in common: each leaves what it was given in seen/NAME.json,
for a test to compare."""

import json
import os
import sys
from pathlib import Path

ROOT = Path(os.environ["MELTANO_PROJECT_ROOT"])
FILES = {"--config", "--catalog", "--properties", "--state"}


def read_arguments() -> dict:
    """The files that options name, parsed; a flag is true."""
    given = {}
    arguments = iter(sys.argv[1:])
    for argument in arguments:
        if argument in FILES:
            given[argument] = json.loads(Path(next(arguments)).read_text())
        else:
            given[argument] = True
    return given


def leave_trace(name: str, given: dict) -> None:
    folder = ROOT / "seen"
    folder.mkdir(exist_ok=True)
    trace = {"given": given, "env": dict(os.environ), "cwd": os.getcwd()}
    (folder / f"{name}.json").write_text(json.dumps(trace, indent=1, sort_keys=True))


def emit(**message) -> None:
    print(json.dumps(message), flush=True)
