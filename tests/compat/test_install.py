"""Each program accepts the environments that the other made."""

import sys
import zipfile
from pathlib import Path

import pytest

from compared_lab import Lab
from support.oracle import clean_environment
from support.paths import venv_bin

NOT_CHANGED = "Skipped installing extractor 'tap-mock'. Requirements have not changed."

# What the entry of the plugin says, and what stands beside it in the project.
ENTRIES = {
    "one package": "pip_url: --no-index --find-links ./wheels tap-mock==1.0",
    "several packages": "pip_url: --no-index -f wheels 'helper >= 1' tap-mock helper",
    "variables": (
        "pip_url: --no-index --find-links ${MELTANO_PROJECT_ROOT}/$FOLDER tap-mock==$VERSION\n"
        "    env: {FOLDER: wheels, VERSION: '1.0'}"
    ),
    "the version of the Python": (
        "pip_url: --no-index --find-links wheels tap-mock "
        f"--constraint constraints-${{MELTANO__PYTHON_VERSION}}.txt"
    ),
    "a Python of its own": (
        "pip_url: --no-index --find-links wheels tap-mock==1.0\n    python: python3"
    ),
    "an executable of another name": (
        "pip_url: --no-index --find-links wheels tap-mock helper\n    executable: helper"
    ),
}


def make_wheel(folder: Path, name: str, version: str) -> None:
    """A package of one module with one program."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}.py": f"def main():\n    print('{name} {version}')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {module}:main\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


def make_project(root: Path, entry: str) -> Path:
    (root / "wheels").mkdir(parents=True)
    make_wheel(root / "wheels", "tap-mock", "1.0")
    make_wheel(root / "wheels", "helper", "1.5")
    version = "%d.%d" % sys.version_info[:2]
    for constraint in {version, "3.11"}:
        (root / f"constraints-{constraint}.txt").write_text("tap-mock==1.0\n")
    (root / "meltano.yml").write_text(
        "version: 1\n"
        "project_id: 5b2b3c0e-0000-4000-8000-000000000001\n"
        "plugins:\n"
        "  extractors:\n"
        "  - name: tap-mock\n"
        "    namespace: tap_mock\n"
        f"    {entry}\n"
    )
    return root


@pytest.fixture
def environment(tmp_path):
    """uv and the Python Meltano are on the PATH."""
    return clean_environment(
        tmp_path / "home", PATH=f"{venv_bin('meltano')}:/usr/local/bin:/usr/bin:/bin"
    )


@pytest.fixture(params=ENTRIES.values(), ids=ENTRIES.keys())
def project(request, tmp_path):
    return make_project(tmp_path / "project", request.param)


def fingerprint(project: Path) -> str:
    venv = project / ".meltano" / "extractors" / "tap-mock" / "venv"
    return (venv / ".meltano_plugin_fingerprint").read_text()


def test_meltshim_accepts_what_meltano_installed(programs, project, environment):
    theirs, ours = [Lab(program, project, environment) for program in programs]
    theirs.succeed("install")

    assert NOT_CHANGED in ours.succeed("install").stderr


def test_meltano_accepts_what_meltshim_installed(programs, project, environment):
    theirs, ours = [Lab(program, project, environment) for program in programs]
    ours.succeed("install")

    result = theirs.succeed("--log-level=debug", "invoke", "tap-mock")
    assert NOT_CHANGED in result.stderr
    assert result.stdout in ("tap-mock 1.0\n", "helper 1.5\n")


def test_both_write_the_same_fingerprint(programs, project, environment):
    theirs, ours = [Lab(program, project, environment) for program in programs]
    theirs.succeed("install", "--clean")
    expected = fingerprint(project)
    ours.succeed("install", "--clean")

    assert fingerprint(project) == expected


def test_the_pinned_version_enters_the_fingerprint(programs, tmp_path, environment):
    project = make_project(tmp_path / "project", ENTRIES["one package"])
    (project / ".python-version").write_text(" 3 \n2\n")
    theirs, ours = [Lab(program, project, environment) for program in programs]
    theirs.succeed("install")

    assert NOT_CHANGED in ours.succeed("install").stderr
    (project / ".python-version").unlink()
    assert NOT_CHANGED not in ours.succeed("install").stderr
