"""The completion scripts, evaluated by the shells they are for."""

import shutil
import subprocess

import pytest


def bash_completion(shell, line: str) -> list[str]:
    """What bash offers when the tabulator is pressed at the end of line."""
    script = f"""
        eval "$({shell.program} completion bash)"
        COMP_LINE={line!r}
        COMP_POINT=${{#COMP_LINE}}
        # bash makes words of its own of the signs in COMP_WORDBREAKS
        read -ra COMP_WORDS <<< "$(sed 's/[=:]/ & /g' <<< "$COMP_LINE")"
        [[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        compopt() {{ :; }}
        _meltshim {shell.program}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=shell.directory, env=shell.env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("meltshim sched", ["schedule"]),
        ("meltshim schedule l", ["list"]),
        ("meltshim schedule list --for", ["--format"]),
        ("meltshim schedule list --format ", ["text", "json"]),
        ("meltshim schedule list --format=j", ["json"]),
        ("meltshim --no-environment comple", ["completion"]),
        ("meltshim nope ", []),
    ],
)
def test_bash_completes(project, line, expected):
    assert bash_completion(project, line) == expected


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_shell_accepts_its_script(shell, name):
    program = shutil.which(name)
    if not program:
        pytest.skip(f"{name} is not installed")
    script = shell("completion", name).out
    done = subprocess.run([program, "-n"], input=script, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
