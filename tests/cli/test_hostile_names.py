"""Names that would steer a terminal, or lead out of the project."""

import os
import pty
import subprocess
import threading

CLEAR = "\x1b[2J"


def at_a_terminal(shell, *words: str) -> str:
    """What the command writes to a terminal, both outputs together."""
    ours, theirs = pty.openpty()
    written = bytearray()

    def collect():
        try:
            while piece := os.read(ours, 65536):
                written.extend(piece)
        except OSError:
            pass

    reader = threading.Thread(target=collect)
    reader.start()
    subprocess.run(
        [str(shell.program), *words],
        cwd=shell.directory,
        env=shell.env,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        timeout=60,
    )
    os.close(theirs)
    reader.join()
    os.close(ours)
    return written.decode()


def add_hostile_job(project) -> None:
    path = project.directory / "meltano.yml"
    path.write_text(
        path.read_text().replace("- name: j1", '- name: "x\\e[2Jy"\n  tasks: [tap-a]\n- name: j1')
    )


def test_no_name_steers_a_terminal(project):
    add_hostile_job(project)
    for words in (
        ["job", "list"],
        ["job", "list", "--format=json"],
        ["run", f"no{CLEAR}y"],
        [f"no-such{CLEAR}y"],
    ):
        text = at_a_terminal(project, *words)
        assert "\\u001b[2Jy" in text
        assert CLEAR not in text


def test_a_table_keeps_its_rows(project):
    suffix = f"a\n{CLEAR}b"
    assert project("run", f"--state-id-suffix={suffix}", "tap-a", "target-b").status == 0
    table = project("runs", "list").out.splitlines()
    assert len(table) == 2
    assert "dev:tap-a-to-target-b:a\\n\\u001b[2Jb" in table[1]


def test_a_program_that_reads_gets_names_as_they_are(project):
    add_hostile_job(project)
    assert project("job", "list").out.startswith(f"x{CLEAR}y: ")
