"""Small projects that each hold the quirks of one part of the configuration: what both programs
print of every plugin in every environment, with several sets of variables given."""

import shutil
from pathlib import Path

import pytest
import yaml

from support.oracle import clean_environment
from support.paths import BUILD

PROJECTS = Path(__file__).parent / "projects"

FORMS = {
    "print": ["print"],
    "variables": ["--unsafe", "print", "--format=env"],
    "extras": ["print", "--extras"],
    "list": ["list", "--all"],
}

# What is given in the process environment; {} is always compared as well.
GIVEN = {
    "layers": [
        {
            "SHELL_SUFFIX": "suffix",
            "SHELL_SECRET": "hunter2",
            "TAP_LAYERS_A": "shell",
            "TAP_LAYERS_B": "shell",
            "TAP_LAYERS_G": "$SHELL_SUFFIX",
            "TAP_LAYERS_H": "shell",
            "LAYERS_NOT_I": "1",
            "TAP_LAYERS_SECRET_NUMBER": "99",
            "TAP_LAYERS__SELECT": '["shell.*"]',
        },
        {
            "LAYERS_I": "on",
            "TAP_LAYERS_LOGIN": "bob",
            "TAP_LAYERS_NESTED_ONE": "77",
            "TAP_LAYERS_METADATA": '{"s": {"x": 1}}',
            "MELTANO_CLI_LOG_LEVEL": "debug",
            "TARGET_LAYERS_PORT": "none",
        },
        {"TAP_LAYERS_H": "1", "TAP_LAYERS_LOGIN": "1", "LAYERS_I": "1", "TAP_LAYERS_I": "0"},
    ],
    "kinds": [
        {
            "TAP_KINDS_OBJECT": '{"a.b": 1, "only": 2}',
            "TAP_KINDS_LEAVES": '{"only": 1}',
            "TAP_KINDS_ARRAY": "'a', 'b'",
            "TAP_KINDS_NEST": '{"a.b": {"c.d": 1}}',
            "TAP_KINDS_UPCASE": "abc",
            "TAP_KINDS_STRINGIFY": "[1]",
            "TAP_KINDS_BOOLEAN": "0",
            "TAP_KINDS_NONE_INT": "x",
            "TAP_KINDS_LEAVES_GIVEN": "77",
            "TAP_KINDS_MAP_A_B_C": "9",
            "TAP_KINDS_ALIASED": '{"q": 1}',
            "KINDS_UTILITY_OBJECT": '{"a.b": 1}',
            "AIRFLOW_CORE_EXECUTOR": "X",
        },
        {"TAP_KINDS_OPTIONS": "us", "KINDS_UTILITY_INTEGER": "1.0"},
    ],
    "expansion": [
        {
            "SHELL_ONLY": "shell",
            "BOTH": "shell",
            "NUMBER": "5",
            "LIST": '["a"]',
            "OBJECT": "{'a': {'b': 1}}",
            "TAP_EXPANSION_PLAIN": "$UPPER",
        },
        {"MELTANO_FF_STRICT_ENV_VAR_MODE": "true"},
    ],
    "inheritance": [
        {
            "SHELL_SECRET": "hunter2",
            "TAP_BASE_VIA_VARIABLE": "x",
            "TAP_BASE_PORT": "9",
            "BASE_ALIASED": "b",
            "TAP_CHILD_M_A": "55",
        },
        {
            "TAP_CHILD_ALIASED": "c",
            "GRAND_PORT": "3",
            "TAP_BASE_O": '{"q": 1}',
            "TAP_CHILD_O_X_Y": "7",
        },
    ],
    "environments": [
        {"STACKED": "1", "SHELLV": "s", "VIRTUAL_ENV": "/x", "PYTHONPATH": "/y"},
    ],
    "mappings": [{"MAP_ONE_LEVEL": "shell"}],
    "extras": [
        {
            "KEY": "key",
            "TAP_LOCKED__SELECT": "['x']",
            "TAP_LOCKED_NS_PAGE_SIZE": "3",
            "TAP_LOCKED__KEYWORDS": '["q"]',
            "SUPERSET__CONFIG_PATH": "q",
        },
    ],
}

# Meltano ends in a traceback where `--format=env` has nothing to print.
NO_VARIABLES = "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/"


def definition(project: str) -> dict:
    # The base loader keeps every scalar as text: dates and octal numbers do not matter here.
    return yaml.load((PROJECTS / project / "meltano.yml").read_text(), yaml.BaseLoader)


def subjects(project: str) -> list[str]:
    names = ["meltano"] if project == "layers" else []
    for plugins in definition(project)["plugins"].values():
        for plugin in plugins:
            names.append(plugin["name"])
            names += [mapping["name"] for mapping in plugin.get("mappings", [])]
    return names


def environments(project: str) -> list[str | None]:
    return [None, *(entry["name"] for entry in definition(project).get("environments", []))]


def cases():
    for project, sets in GIVEN.items():
        for number, given in enumerate([{}, *sets]):
            for environment in environments(project):
                case = (project, given, environment)
                yield pytest.param(*case, id=f"{project}-{number}-{environment}")


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """project -> (a copy for Meltano, a copy for meltshim). Meltano's is always at the same place,
    so that its answers can be kept."""
    made = {}

    def get(project: str):
        if project not in made:
            theirs = BUILD / "compat" / "quirks" / project
            shutil.rmtree(theirs, ignore_errors=True)
            ours = tmp_path_factory.mktemp("quirks") / project
            made[project] = [
                Path(shutil.copytree(PROJECTS / project, copy)) for copy in (theirs, ours)
            ]
        return made[project]

    return get


@pytest.fixture(scope="module")
def home():
    return BUILD / "compat" / "home"


def shown(text: str, name: str) -> str:
    """What a setting of the project is for, each program says in its own words."""
    if name != "meltano":
        return text
    return "\n".join(line for line in text.splitlines() if not line.startswith("\t"))


@pytest.mark.parametrize(("project", "given", "environment"), list(cases()))
def test_configuration(programs, copies, home, project, given, environment):
    env = clean_environment(home, **given)
    choice = [f"--environment={environment}"] if environment else ["--no-environment"]
    for name in subjects(project):
        for form, words in FORMS.items():
            expected, actual = (
                program.ask([*choice, "config", *words, name], copy, env).without(copy)
                for program, copy in zip(programs, copies(project), strict=True)
            )
            if NO_VARIABLES in expected.stderr:
                assert (actual.status, actual.stdout.strip()) == (0, "")
                continue
            assert (actual.status == 0) == (expected.status == 0), (name, form, actual.stderr)
            assert shown(actual.stdout, name) == shown(expected.stdout, name), (name, form)


@pytest.mark.parametrize("given", [{}, *GIVEN["environments"]], ids=["none", "some"])
@pytest.mark.parametrize("environment", environments("environments"))
@pytest.mark.parametrize("plugin", ["show", "airflow"])
def test_process_environment(programs, copies, home, plugin, environment, given):
    env = clean_environment(home, **given)
    choice = [f"--environment={environment}"] if environment else ["--no-environment"]
    expected, actual = (
        program.run([*choice, "invoke", plugin], copy, env).without(copy)
        for program, copy in zip(programs, copies("environments"), strict=True)
    )
    assert variables(expected.stdout), expected.stderr
    assert variables(actual.stdout) == variables(expected.stdout), actual.stderr


def variables(output: str) -> dict[str, str]:
    found = dict(line.partition("=")[::2] for line in output.splitlines() if "=" in line)
    found.pop("MELTANO_PARENT_CONTEXT_UUID", None)
    return found
