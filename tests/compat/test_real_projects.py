"""What both programs say of projects that people really use."""

import pytest

from support import real_projects
from support.oracle import as_meltano_lists

FORMATS = {
    "json": ["--format=json"],
    "env": ["--format=env"],
    "extras": ["--extras"],
    "extras-env": ["--extras", "--format=env"],
    "unsafe": [],
}

# Meltano ends in a traceback where `--format=env` has nothing to print.
NO_VARIABLES = "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/"


def each_environment():
    for project in real_projects.names() or [None]:
        for environment in real_projects.environments(project) if project else [None]:
            yield pytest.param(project, environment, id=f"{project}-{environment}")


def each_plugin():
    for project in real_projects.names() or [None]:
        if project is None:
            yield pytest.param(None, None, None, None, id="no-projects")
            continue
        for environment in real_projects.environments(project):
            for kind, plugin in real_projects.plugins(project):
                case = (project, environment, kind, plugin)
                yield pytest.param(*case, id="-".join(map(str, case)))


def compare(programs, copies, arguments, environment, env):
    if environment:
        arguments = [f"--environment={environment}", *arguments]
    answers = [
        program.ask(arguments, copy, env).without(copy)
        for program, copy in zip(programs, copies, strict=True)
    ]
    expected, actual = answers
    if NO_VARIABLES in expected.stderr:
        assert (actual.status, actual.stdout.strip()) == (0, "")
        return
    assert as_meltano_lists(arguments, actual.stdout) == expected.stdout, actual.stderr
    assert (actual.status == 0) == (expected.status == 0), actual.stderr
    if expected.status:
        assert actual.stderr.strip(), "a failed command says why"


@pytest.mark.parametrize(("project", "environment"), list(each_environment()))
@pytest.mark.parametrize("command", ["schedule", "job"])
def test_list(shared, programs, real_project_copies, hub_env, project, environment, command):
    arguments = [command, "list", "--format=json"]
    compare(programs, real_project_copies(project), arguments, environment, hub_env)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("project", "environment", "kind", "plugin"), list(each_plugin()))
def test_config_print(
    shared, programs, real_project_copies, hub_env, project, environment, kind, plugin, form
):
    safety = ["--unsafe"] if form == "unsafe" else []
    arguments = ["config", *safety, "print", "--plugin-type", kind, plugin, *FORMATS[form]]
    compare(programs, real_project_copies(project), arguments, environment, hub_env)
