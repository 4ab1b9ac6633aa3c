"""The projects of other people in MELTSHIM_SHARED, ready for a comparison: with the lock files that
Meltano makes from the hub, and with values for the variables that they mention."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import yaml

from support.hub import HubServer
from support.oracle import Meltano, clean_environment
from support.paths import BUILD, SHARED

LOCKED = BUILD / "compat" / "locked"
VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def names() -> list[str]:
    folder = SHARED / "projects"
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def definition(name: str) -> dict:
    return yaml.safe_load((SHARED / "projects" / name / "meltano.yml").read_text())


def environments(name: str) -> list[str | None]:
    """Its environments' names, and None for running without one."""
    return [None, *(entry["name"] for entry in definition(name).get("environments") or [])]


def plugins(name: str) -> list[tuple[str, str]]:
    """(type, name) of every plugin, as `--plugin-type` and the command line want them."""
    found = []
    for kind, entries in (definition(name).get("plugins") or {}).items():
        found += [(kind, entry["name"]) for entry in entries or []]
    return found


def _write_dotenv(project: Path) -> None:
    """Every second variable that meltano.yml mentions gets a value; the others stay unset."""
    text = (project / "meltano.yml").read_text()
    mentioned = sorted(set(VARIABLE.findall(text)) - {"MELTANO_PROJECT_ROOT"})
    lines = [f"{variable}='of {variable}'\n" for variable in mentioned[::2]]
    (project / ".env").write_text("".join(lines))


def locked(name: str, meltano: Meltano, hub: HubServer) -> Path:
    """A copy of the project with its lock files; made once, then only read."""
    project = LOCKED / name
    stamp = project / ".stamp"
    checksum = hashlib.sha256(Path(__file__).read_bytes())
    checksum.update((SHARED / "projects" / name / "meltano.yml").read_bytes())
    if stamp.exists() and stamp.read_text() == checksum.hexdigest():
        return project
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(SHARED / "projects" / name, project, copy_function=shutil.copyfile)
    project.chmod(0o755)
    env = clean_environment(LOCKED / f"{name}.home", MELTANO_HUB_URL=hub.url)
    for kind, plugin in plugins(name):
        meltano.run(["lock", "--update", "--plugin-type", kind, plugin], project, env)
    # The hub's own address differs from one run to the next, and is not what is compared.
    for lock in project.glob("plugins/*/*.lock"):
        text = lock.read_text().replace(hub.url, "https://hub.example")
        lock.write_text(json.dumps(json.loads(text), indent=2) + "\n")
    shutil.rmtree(project / ".meltano", ignore_errors=True)
    _write_dotenv(project)
    stamp.write_text(checksum.hexdigest())
    return project


def copy(source: Path, destination: Path) -> Path:
    return shutil.copytree(source, destination, ignore=shutil.ignore_patterns(".stamp"))
