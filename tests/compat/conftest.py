"""Both programs, and a place where each gets its own copy of a project."""

import shutil

import pytest

from compared_lab import Lab
from support import real_projects
from support.oracle import Meltano, Meltshim, clean_environment
from support.paths import BUILD


@pytest.fixture(scope="session")
def meltano():
    program = Meltano()
    yield program
    program.close()


@pytest.fixture(scope="session")
def programs(meltano, meltshim):
    """The oracle first: its answer is the expected one."""
    return meltano, Meltshim()


@pytest.fixture(scope="session")
def real_project_copies(meltano, hub, tmp_path_factory):
    """name -> (a copy for Meltano, a copy for meltshim); made when first asked for."""
    copies = {}

    def get(name: str):
        if name not in copies:
            locked = real_projects.locked(name, meltano, hub)
            mine = tmp_path_factory.mktemp("meltshim") / name
            copies[name] = (locked, real_projects.copy(locked, mine))
        return copies[name]

    return get


@pytest.fixture(scope="session")
def hub_env(hub):
    """For pure commands: the same in every session, so that answers can be kept."""
    home = BUILD / "compat" / "home"
    home.mkdir(parents=True, exist_ok=True)
    return clean_environment(home, MELTANO_HUB_URL=hub.url)


@pytest.fixture
def labs(request, programs, tmp_path):
    """The lab twice: Meltano's copy and meltshim's."""
    source = request.path.parent / "projects" / "lab"
    env = clean_environment(tmp_path / "home")
    return [
        Lab(program, shutil.copytree(source, tmp_path / str(number) / "lab"), env)
        for number, program in enumerate(programs)
    ]
