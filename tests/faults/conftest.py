import os
import subprocess
import uuid

import pytest

from lab import Lab
from support.paths import BUILD, ROOT

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def soak() -> bool:
    """Whether there is time for the long form: `make soak`."""
    return "MELTSHIM_SOAK" in os.environ


def finish(lab):
    survivors = lab.survivors()
    lab.end_survivors()
    assert not survivors, "processes were left behind"


@pytest.fixture
def lab(tmp_path, meltshim):
    lab = Lab(tmp_path, meltshim)
    yield lab
    finish(lab)


@pytest.fixture
def postgres_lab(tmp_path, meltshim, postgres):
    name = f"lab_{uuid.uuid4().hex}"
    lab = Lab(tmp_path, meltshim, postgres.create_database(name))
    yield lab
    finish(lab)
    postgres.psql(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=DATABASES)
def any_lab(request):
    """The same project on either database."""
    return request.getfixturevalue("lab" if request.param == "sqlite" else "postgres_lab")


@pytest.fixture(scope="session")
def inject():
    """The environment that preloads inject.c with what its names ask for: inject(at=3, ...)."""
    library = BUILD / "tests" / "inject.so"
    library.parent.mkdir(parents=True, exist_ok=True)
    source = ROOT / "tests" / "faults" / "inject.c"
    command = ["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC"]
    subprocess.run([*command, "-o", library, source, "-ldl"], check=True)

    def environment(**wanted) -> dict[str, str]:
        variables = {f"INJECT_{name.upper()}": str(value) for name, value in wanted.items()}
        return {"LD_PRELOAD": str(library), **variables}

    return environment


@pytest.fixture
def small_disk(tmp_path_factory):
    """A disk of 4 MB."""
    disk = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture
def tell(capsys):
    """Prints a line of counts into the suite's log."""

    def tell(line):
        with capsys.disabled():
            print(f"\n{line}")

    return tell
