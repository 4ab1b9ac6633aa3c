"""Where the repository's things are."""

import functools
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
MELTSHIM = Path(os.environ.get("MELTSHIM", BUILD / "meltshim"))
EXAMPLES = ROOT / "examples"
SHARED = Path(os.environ.get("MELTSHIM_SHARED", ROOT.parent / "shared"))


@functools.cache
def venv_bin(name: str) -> Path:
    """The bin folder of a Python environment that tests/support/locks pins, made when missing."""
    subprocess.run([ROOT / "tests" / "support" / "python-env", name], check=True)
    return BUILD / "venv" / name / "bin"
