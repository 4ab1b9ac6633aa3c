"""Commands that are left to the Python Meltano."""

import shutil

FAKE = """\
#!/bin/sh
echo "python meltano got: $*"
exit 7
"""


def make_meltano(shell, text: str = FAKE):
    folder = shell.directory / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "meltano"
    program.unlink(missing_ok=True)
    program.write_text(text)
    program.chmod(0o755)
    shell.env["PATH"] = f"{folder}:/usr/bin:/bin"
    return program


def test_it_gets_the_same_words_and_its_status_is_ours(shell):
    make_meltano(shell)
    result = shell("--environment=dev", "add", "--custom", "tap x")
    assert result.status == 7
    assert result.out == "python meltano got: --environment=dev add --custom tap x\n"


def test_it_gets_our_options_under_its_names(shell):
    make_meltano(shell)
    assert shell("--project-root", "/", "add").out == "python meltano got: --cwd / add\n"
    assert shell("--project-root=/", "add").out == "python meltano got: --cwd=/ add\n"


def test_without_one_a_sentence_says_so(shell):
    result = shell("add", "tap-x")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("Error: This command is left to the Python Meltano")


def test_it_is_never_this_program(shell):
    program = make_meltano(shell)
    program.unlink()
    program.symlink_to(shell.program)
    assert shell("add", "tap-x").status == 2

    program.unlink()
    copy = shell.directory / "copy"
    shutil.copy(shell.program, copy)
    program.hardlink_to(copy)
    shell.program = copy
    assert shell("add", "tap-x").status == 2


def test_a_script_around_this_program_does_not_go_in_circles(shell):
    make_meltano(shell, f'#!/bin/sh\nexec {shell.program} "$@"\n')
    result = shell("add", "tap-x")
    assert result.status == 2
    assert "hands this command back to meltshim" in result.err


def test_a_project_whose_state_is_out_of_reach_is_run_by_it(project):
    make_meltano(project)
    project.env["MELTANO_STATE_BACKEND_URI"] = "azure://container/state"
    result = project("run", "tap-a", "target-b")
    assert (result.status, result.out) == (7, "python meltano got: run tap-a target-b\n")
    assert project("state", "list").out == "python meltano got: state list\n"
    project.env["MELTANO_STATE_BACKEND_URI"] = "snowflake://db/schema"
    assert project("state", "get", "a").out == "python meltano got: state get a\n"


def test_without_one_state_out_of_reach_is_refused_in_a_sentence(project):
    project.env["MELTANO_STATE_BACKEND_URI"] = "gs://bucket/state"
    result = project("run", "tap-a", "target-b")
    assert result.status == 1
    assert "the state backend 'gs' is one of the Python Meltano and not of this program" in result.err
    result = project("state", "list")
    assert result.status == 1
    assert "install the Python Meltano" in result.err
