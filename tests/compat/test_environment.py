"""What a plugin process is given: environment, configuration file, arguments, folder."""

import pytest

INVOCATIONS = {
    "tap": (["invoke", "tap"], "tap"),
    "inherited tap": (["invoke", "tap-child"], "tap"),
    "twice inherited tap": (["invoke", "tap-grandchild"], "tap"),
    "tap with arguments": (["invoke", "tap", "--flag"], "tap"),
    "tap in an environment without settings": (["--environment=bare", "invoke", "tap"], "tap"),
    "tap without an environment": (["--no-environment", "invoke", "tap"], "tap"),
    "discovery": (["invoke", "tap", "--discover"], "tap-discover"),
    "target": (["invoke", "target"], "target"),
    "utility": (["invoke", "tool"], "tool"),
    "command": (["invoke", "tool:check"], "tool"),
    "command with its own executable": (["invoke", "tool:shout"], "tool"),
}

RUNS = {
    "tap": ["run", "tap", "target"],
    "tap with a mapper": ["run", "tap", "hide", "target"],
    "two mappers": ["run", "tap", "hide", "keep", "target"],
    "inherited tap": ["run", "tap-grandchild", "target"],
    "job": ["run", "both"],
    "schedule of a job": ["schedule", "run", "by-job"],
    "schedule of extract and load": ["schedule", "run", "by-elt"],
    "el": ["el", "tap", "target"],
    "el with a state id": ["el", "tap", "target", "--state-id=mine"],
    "without an environment": ["--no-environment", "el", "tap", "target", "--state-id=mine"],
    "dry run": ["run", "--dry-run", "tap", "target"],
    "full refresh": ["run", "--full-refresh", "tap", "target"],
    "state id suffix": ["run", "--state-id-suffix=x", "tap", "target"],
    "run id": ["run", "--run-id=01890a5d-ac96-774b-bcce-b302099a8057", "tap", "target"],
}

# Variables of whoever starts the programs, and what they change.
GIVEN = {
    "nothing": {},
    "a setting": {"TAP_REGION": "of-environment-variable", "LAB_OWN_NAME": "given"},
    "a nested setting": {"TAP_BATCH_SIZE": "11", "TAP_LIMITS": '{"max": 9}'},
    "an environment": {"MELTANO_ENVIRONMENT": "bare"},
    "selection": {"TAP__SELECT": '["users.id"]'},
    "a foreign variable": {"FOREIGN": "kept $HOME", "LEVEL": "shell", "PYTHONPATH": "/nowhere"},
    "a project setting": {"MELTANO_CLI_LOG_LEVEL": "warning"},
}


def assert_same_traces(labs, names=None):
    expected, actual = labs
    assert actual.seen_names() == expected.seen_names()
    for name in names or expected.seen_names():
        of_meltano, of_meltshim = expected.seen(name), actual.seen(name)
        assert of_meltshim["env"] == of_meltano["env"], name
        assert of_meltshim["given"] == of_meltano["given"], name
        assert of_meltshim["cwd"] == of_meltano["cwd"], name


@pytest.mark.parametrize("case", INVOCATIONS)
def test_invoke(labs, case):
    arguments, plugin = INVOCATIONS[case]
    for lab in labs:
        lab.succeed(*arguments)
    assert_same_traces(labs, [plugin])


@pytest.mark.parametrize("case", RUNS)
def test_run(labs, case):
    for lab in labs:
        lab.succeed(*RUNS[case])
    assert_same_traces(labs)


@pytest.mark.parametrize("case", GIVEN)
def test_given_variables(labs, case):
    for lab in labs:
        lab.succeed("run", "tap", "hide", "target", **GIVEN[case])
    assert_same_traces(labs)


@pytest.mark.parametrize("flag", ["--help", "--about"])
def test_arguments_of_a_plugin_are_passed_on(labs, flag):
    for lab in labs:
        lab.succeed("invoke", "tool", "--", flag)
    assert_same_traces(labs)
