"""Commands that start plugins."""

import json
import signal
import subprocess

import pytest


def test_invoke_gives_the_plugin_its_arguments_and_its_status(project):
    result = project("invoke", "util", "-c", 'echo "$1"; echo err >&2; exit 4', "sh", "--dump")
    assert (result.status, result.out) == (4, "--dump\n")
    assert "[info     ] util         err" in result.err


def test_invoke_gives_the_plugin_our_input(project):
    assert project("invoke", "util", "-c", "cat", stdin="line\n").out == "line\n"


def test_invoke_runs_commands(project):
    assert project("invoke", "util:hello").out == "hello\n"
    listed = project("invoke", "--list-commands", "util").out
    assert [line.split()[0] for line in listed.splitlines()] == [
        "util:hello",
        "util:test-good",
        "util:test-bad",
    ]
    result = project("invoke", "util:nope")
    assert result.status != 0
    assert "Command 'nope' could not be found" in result.err
    assert project("invoke", "a:b:c").status == 1


def test_invoke_prints_variables_and_configuration(project):
    result = project("invoke", "--print-var", "MELTANO_ENVIRONMENT", "--print-var=NOPE",
                     "util", "-c", "true")  # fmt: skip
    assert result.out == "MELTANO_ENVIRONMENT=dev\nNOPE=None\n"
    dumped = json.loads(project("invoke", "--dump=config", "tap-a").out)
    assert dumped == {"port": 5432, "password": "hunter2"}
    catalog = json.loads(project("invoke", "--dump=catalog", "tap-a").out)
    assert catalog["streams"][0]["tap_stream_id"] == "users"


def test_a_plugin_killed_by_a_signal_gives_256_minus_its_number(project):
    assert project("invoke", "util", "-c", "kill -9 $$").status == 256 - signal.SIGKILL


def test_a_missing_program_is_named(project):
    (project.directory / "bin" / "tap-a").unlink()
    result = project("invoke", "tap-a")
    assert result.status == 14
    assert "tap-a" in result.err


def invoke_airflow(project, entry: str):
    path = project.directory / "meltano.yml"
    text = path.read_text()
    path.write_text(text.replace("  utilities:\n", f"  orchestrators:\n  - {entry}\n  utilities:\n"))
    return project("invoke", "airflow", "version")


def test_an_airflow_that_is_not_there_is_named(project):
    result = invoke_airflow(project, "{name: airflow, namespace: airflow}")
    assert result.status == 14
    assert "'airflow'" in result.err


def test_a_script_around_airflow_is_left_to_the_python_meltano(project):
    entry = "{name: airflow, namespace: airflow, executable: orchestrate/airflow.sh}"
    result = invoke_airflow(project, entry)
    assert result.status == 2
    assert "left to the Python Meltano" in result.err


def test_select_shows_the_effective_selection(project):
    assert project("select", "tap-a", "users", "id").out == ""
    shown = json.loads(project("select", "tap-a", "--json", "--all").out)
    assert shown == {
        "enabled_patterns": ["users.id"],
        "streams": [
            {"stream": "users", "property": "id", "selection": "automatic"},
            {"stream": "users", "property": "name", "selection": "excluded"},
        ],
    }
    text = project("select", "tap-a", "--list").out
    assert text.startswith("Legend:\n\tselected\n\texcluded\n\tautomatic\n\tunsupported\n")
    assert text.endswith("Enabled patterns:\n\tusers.id\n\n"
                         "Selected properties:\n\t[automatic  ] users.id\n")  # fmt: skip


def test_select_changes_the_level_that_is_asked_for(project):
    path = project.directory / "meltano.yml"
    before = path.read_text()
    project("select", "tap-a", "--exclude", "users", "name")
    project("select", "tap-a")
    assert "    select:\n    - '!users.name'\n    - '*.*'\n" in path.read_text()
    assert project("select", "tap-a", "--rm").status == 0
    assert project("select", "tap-a", "--rm").status == 1
    project("select", "tap-a", "--clear")
    assert path.read_text() == before

    project("--environment=prod", "select", "tap-a", "users")
    shown = json.loads(project("--environment=prod", "select", "tap-a", "--json").out)
    assert shown["enabled_patterns"] == ["users.*"]
    assert json.loads(project("select", "tap-a", "--json").out)["enabled_patterns"] == ["*.*"]


def test_select_is_for_extractors(project):
    result = project("select", "target-b", "--list")
    assert result.status == 1
    assert "Extractor 'target-b' is not known to Meltano" in result.err


def test_tests_of_plugins(project):
    result = project("test", "util:test-good")
    assert result.status == 0
    assert "1 test(s) successful. 0 test(s) failed." in result.out
    result = project("test", "--all")
    assert result.status == 13
    assert "1 test(s) successful. 1 test(s) failed." in result.out


def test_a_configuration_can_be_tried(project):
    result = project("config", "test", "tap-a")
    assert (result.status, result.out) == (0, "Plugin configuration is valid\n")
    for name in ("util", "meltano"):
        result = project("config", "test", name)
        assert result.status != 0
        assert "not supported" in result.err


def test_run_prints_its_record_last(project):
    result = project("run", "tap-a", "target-b", "util:hello")
    assert result.status == 0, result.err
    record = json.loads(result.out.splitlines()[-1])
    assert (record["schema"], record["status"]) == ("meltshim.run/1", "success")
    assert record["state_id"] == "dev:tap-a-to-target-b"
    assert json.loads(project("state", "get", "dev:tap-a-to-target-b").out) == {
        "singer_state": {"bookmarks": {"users": 1}}
    }


def test_run_needs_an_environment(project):
    result = project("--no-environment", "run", "util:hello")
    assert result.status == 1
    assert "A Meltano environment must be specified." in result.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--timeout=0", "x"], "Invalid value for '--timeout': 0 is not in the range x>=1."),
        (["run", "--run-id=x", "x"], "Invalid value for '--run-id': x is not a valid UUID."),
        (["run", "--merge-state", "--state-strategy=overwrite", "x"],
         "Cannot use both --merge-state and --state-strategy"),
        (["el", "tap-a"], "Missing argument 'LOADER'."),
    ],
)  # fmt: skip
def test_run_options_are_checked(project, words, message):
    result = project(*words)
    assert result.status == 2
    assert message in result.err


def test_run_options_come_from_variables_too(project):
    run_id = "01a2032c-0000-7000-8000-000000000000"
    out = project("run", "util:hello", MELTANO_RUN_ID=run_id).out
    assert json.loads(out.splitlines()[-1])["run_id"] == run_id
    result = project("run", "util:hello", MELTANO_RUN_TIMEOUT="soon")
    assert result.status == 2
    assert "(env var: 'MELTANO_RUN_TIMEOUT')" in result.err


def test_el_keeps_state_under_the_given_id(project):
    assert project("el", "tap-a", "target-b", "--state-id=mine").status == 0
    assert "mine" in project("state", "list").out
    assert project("elt", "tap-a", "target-b", "--transform=run").status != 0


def test_schedules_run(project):
    result = project("schedule", "run", "by-job")
    assert result.status == 0, result.err
    record = json.loads(result.out.splitlines()[-1])
    assert [block["plugins"] for block in record["blocks"]] == ["tap-a target-b", "util:hello"]
    result = project("schedule", "run", "by-elt", "--full-refresh")
    assert result.status == 0, result.err
    assert "by-elt" in project("state", "list").out
    elt = json.loads(project("schedule", "list", "--format=json").out)["schedules"]["elt"][0]
    assert elt["last_successful_run_ended_at"].endswith("+00:00")
    assert project("schedule", "run", "nope").status == 1


def test_the_environment_of_a_schedule_reaches_its_run(project):
    path = project.directory / "meltano.yml"
    path.write_text(
        path.read_text().replace("  job: j1\n", "  job: j2\n  env: {GREETING: moin}\n").replace(
            "schedules:\n", "- name: j2\n  tasks: [util:greet]\nschedules:\n"
        ).replace('      hello: -c "echo hello"\n', '      greet: -c "echo $GREETING >&2"\n')
    )  # fmt: skip
    result = project("--environment=prod", "schedule", "run", "by-job")
    assert "moin" in result.err
    assert json.loads(result.out.splitlines()[-1])["environment"] == "prod"


def test_a_signal_reaches_the_plugin(project):
    child = subprocess.Popen(
        [project.program, "invoke", "util", "-c", "trap 'exit 9' TERM; echo ready; sleep 30 & wait"],
        cwd=project.directory, env=project.env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout.readline() == "ready\n"
    child.terminate()
    assert child.wait(10) == 9
    child.stdout.close()


def test_install_has_nothing_to_do_without_a_pip_url(project):
    result = project("install")
    assert result.status == 0
    assert "Installing 3 plugins" in result.err
    assert "Installing 2 plugins" in project("install", "--schedule=by-elt").err
    result = project("install", "nope")
    assert result.status == 0
    assert "There is no plugin 'nope' in the project." in result.err
    assert project("install", "--schedule=nope").status == 1


@pytest.mark.parametrize("command", ["/bin/echo", "/bin/false"])
def test_the_secrets_of_a_command_are_nowhere(project, command):
    path = project.directory / "meltano.yml"
    utility = f"""\
  - name: sec
    namespace: sec
    executable: {command}
    settings:
    - name: token
      sensitive: true
    config:
      token: swordfish-99
    commands:
      go: --token $SEC_TOKEN
"""
    path.write_text(path.read_text().replace("  utilities:\n", "  utilities:\n" + utility))
    result = project("run", "sec:go")
    assert result.status == (0 if command == "/bin/echo" else 13)
    assert "swordfish-99" not in result.out + result.err
    assert "swordfish-99" not in project("runs", "show").out
    assert '"argv":["' + command + '","--token","(redacted)"]' in result.out
    for database in (project.directory / ".meltano").glob("meltano.db*"):
        assert b"swordfish-99" not in database.read_bytes()
