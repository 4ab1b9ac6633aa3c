"""What holds for every command: help, usage errors, output, the names it is called by."""

import json
import os
import re
import subprocess

import pytest


def subcommands(text: str) -> list[str]:
    """The commands in a help text that the program runs itself."""
    own = text.split("handed to the Python Meltano")[0]
    _, _, listed = own.partition("\nCommands:\n")
    return re.findall(r"^  ([a-z-]+)(?=\s)", listed, re.MULTILINE)


def all_commands(shell, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    result = shell(*words, "--help")
    found = [words]
    for name in subcommands(result.out):
        found += all_commands(shell, (*words, name))
    return found


def test_every_command_explains_itself_on_standard_output(shell):
    commands = all_commands(shell)
    assert len(commands) > 30
    for words in commands:
        result = shell(*words, "--help")
        assert (result.status, result.err) == (0, ""), words
        assert result.out.startswith(f"Usage: {' '.join(('meltshim', *words))} [OPTIONS]"), words
        assert all(len(line) <= 100 for line in result.out.splitlines()), words


def test_version_names_the_program(shell):
    assert shell("--version").out == "meltshim 0.1.0\n"


@pytest.mark.parametrize("name", ["meltano", "bin"])
def test_called_by_the_names_of_meltano_the_version_is_meltanos(shell, name):
    link = shell.directory / name
    link.symlink_to(shell.program)
    shell.program = link
    out = shell("--version").out
    assert re.fullmatch(r"meltano, version 4\.4\.1 \(meltshim 0\.1\.0\)\n", out)
    assert out.split()[2] == "4.4.1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope-nope"], "Error: No such command 'nope-nope'."),
        (["--nope"], "Error: No such option '--nope'."),
        (["schedule", "list", "--format", "xml"],
         "Error: Invalid value for '--format': 'xml' is not one of 'text', 'json'."),
        (["schedule", "list", "x"], "Error: Got unexpected extra argument (x)"),
        (["state", "get"], "Error: Missing argument 'STATE_ID'."),
        (["--log-level"], "Error: Option '--log-level' requires an argument."),
        (["--no-environment=1", "job", "list"],
         "Error: Option '--no-environment' does not take a value."),
        (["--cwd", "/nope", "job", "list"],
         "Error: Invalid value for '--cwd': Directory '/nope' does not exist."),
        (["job", "list", "--environment=dev"],
         "Error: No such option '--environment'.\n"
         "It is a global option: put it before 'job'."),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_status_2_and_says_why(project, words, message):
    result = project(*words)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("Usage: meltshim ")
    assert message in result.err


def test_without_a_command_help_is_shown_and_the_status_is_2(shell):
    result = shell()
    assert (result.status, result.out) == (2, "")
    assert "Commands:" in result.err


def test_a_mistyped_command_is_guessed(shell):
    assert "Did you mean one of these?\n    schedule\n" in shell("shedule").err


def test_outside_a_project_the_status_is_2(shell):
    result = shell("schedule", "list")
    assert (result.status, result.out) == (2, "")
    assert "There is no meltano.yml in" in result.err


def test_options_stand_anywhere_and_take_underscores(project):
    for words in (
        ["job", "list", "j1", "--format", "json"],
        ["job", "list", "--format=json", "j1"],
        ["--log_level=error", "job", "list", "--", "j1"],
    ):
        assert project(*words).status == 0, words


def test_standard_output_holds_results_only(project):
    result = project("schedule", "list", "--format=json")
    json.loads(result.out)
    assert "The default environment 'dev' will be ignored" in result.err


def test_log_options_shape_standard_error(project):
    assert project("--log-level=error", "schedule", "list").err == ""
    lines = project("--log-format=json", "schedule", "list").err.splitlines()
    assert json.loads(lines[0])["level"] == "info"
    assert project("schedule", "list", MELTANO_CLI_LOG_LEVEL="error").err == ""


def test_a_logging_configuration_is_said_to_be_ignored(project):
    (project.directory / "logging.yaml").write_text("version: 1\n")
    assert "logging.yaml is not read" in project("job", "list").err


def test_a_bad_log_setting_names_the_value(project):
    result = project("schedule", "list", MELTANO_CLI_LOG_LEVEL="loud")
    assert result.status == 1
    assert "loud" in result.err


def test_project_root_is_where_the_work_is_done(project, tmp_path):
    for option in ("--project-root", "--cwd"):
        result = project(option, str(project.directory), "job", "list", cwd=tmp_path)
        assert result.out.startswith("j1: ")


def test_a_project_is_found_from_below(project):
    below = project.directory / "a" / "b"
    below.mkdir(parents=True)
    assert project("job", "list", cwd=below).status == 0


def test_an_unknown_environment_is_refused(project):
    result = project("--environment=nope", "schedule", "list")
    assert (result.status, result.out) == (1, "")
    assert "nope" in result.err


def test_requires_meltano_is_checked(project):
    path = project.directory / "meltano.yml"
    path.write_text("requires_meltano: '>=99'\n" + path.read_text())
    result = project("job", "list")
    assert (result.status, result.out) == (3, "")
    assert ">=99" in result.err and "4.4.1" in result.err

    path.write_text(path.read_text().replace("'>=99'", "'>=4,<5'"))
    assert project("job", "list").status == 0

    path.write_text(path.read_text().replace("'>=4,<5'", "'four'"))
    result = project("job", "list")
    assert result.status == 1
    assert "'four' is not a version specifier" in result.err


@pytest.mark.parametrize(
    "word", ["", "-", "\n", "\x1b[31m", "\udcff\udcfe", "%s%n%s", "'; rm -rf /", "a" * 100_000]
)
def test_hostile_words_are_refused_in_good_order(project, word):
    for words in ([word], ["job", "list", f"--{word}"], ["state", "show", "id", word]):
        result = project(*[w.encode("utf-8", "surrogateescape") for w in words])
        assert result.status in (0, 1, 2), words
    result = project("job", "list", word.encode("utf-8", "surrogateescape"))
    assert result.status == 0


def run_with_stdout(project, stdout, *words):
    return subprocess.run(
        [project.program, *words],
        cwd=project.directory,
        env=project.env,
        stdout=stdout,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
    )


def test_a_reader_that_went_away_is_no_error(project):
    reader, writer = os.pipe()
    os.close(reader)
    result = run_with_stdout(project, writer, "schedule", "list")
    os.close(writer)
    assert result.returncode == 0


def test_a_full_disk_under_standard_output_is_an_error(project):
    with open("/dev/full", "w") as full:
        result = run_with_stdout(project, full, "schedule", "list")
    assert result.returncode == 1
    assert "Cannot write to standard output: No space left on device." in result.stderr


def test_a_closed_standard_output_harms_no_file(project):
    project("state", "set", "--force", "x", '{"singer_state": {"a": 1}}')
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {project.program} state get x >&-"],
        cwd=project.directory, env=project.env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode in (0, 1)
    assert json.loads(project("state", "get", "x").out) == {"singer_state": {"a": 1}}


def test_secrets_do_not_appear(project):
    result = project("config", "print", "tap-a")
    assert json.loads(result.out)["password"] == "*****"
    assert "hunter2" not in result.out + result.err
    assert json.loads(project("config", "--unsafe", "print", "tap-a").out)["password"] == "hunter2"


def test_the_link_for_meltano_is_made_once_and_then_left_alone(project):
    link = project.directory / ".meltano" / "run" / "bin"
    project("job", "list")
    assert link.resolve() == project.program
    assert (project.directory / ".meltano" / ".gitignore").read_text() == "*\n"
    tag = (project.directory / ".meltano" / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")

    link.unlink()
    link.symlink_to("/somewhere/else")
    project("job", "list")
    assert os.readlink(link) == "/somewhere/else"


def test_a_list_makes_no_database(project):
    for words in (["schedule", "list", "--format=json"], ["state", "list"], ["job", "list"]):
        assert project(*words).status == 0
    assert not (project.directory / ".meltano" / "meltano.db").exists()


def test_a_project_that_cannot_be_written_can_be_read(project):
    (project.directory / ".meltano").write_text("in the way")
    assert project("schedule", "list", "--format=json").status == 0
    assert project("config", "print", "tap-a").status == 0
    assert project("state", "set", "--force", "x", '{"singer_state": {}}').status == 20
