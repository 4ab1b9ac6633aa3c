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
        ("meltshim run ", ["j1", "tap-a", "target-b", "util", "util:hello", "util:test-good",
                           "util:test-bad"]),
        ("meltshim run util:h", ["hello"]),
        ("meltshim schedule run by-", ["by-elt", "by-job"]),
        ("meltshim --environment=p", ["prod"]),
        ("meltshim state get dev:tap-", ["tap-a-to-target-b"]),
        ("meltshim nope ", []),
    ],
)  # fmt: skip
def test_bash_completes(project, line, expected):
    state = '{"singer_state": {}}'
    project("state", "set", "--force", "dev:tap-a-to-target-b", state)
    assert bash_completion(project, line) == expected


def run_in_shell(name: str, script: str, shell) -> list[str]:
    program = shutil.which(name)
    if not program:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [program, "-c", script],
        cwd=shell.directory, env=shell.env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_zsh_completes(project):
    script = f"""
        autoload -U compinit && compinit -u -D
        eval "$({project.program} completion zsh)"
        _describe() {{ print -rl -- "${{(@P)2}}"; }}
        words=({project.program} invoke util:h)
        CURRENT=3
        _meltshim
        words=({project.program} schedule l)
        _meltshim
    """
    assert run_in_shell("zsh", script, project) == ["util\\:hello:", "list:List the schedules."]


def test_fish_completes(project):
    script = f"""
        set -x PATH {project.program.parent} $PATH
        meltshim completion fish | source
        complete -C "meltshim invoke util:h"
        complete -C "meltshim schedule l"
    """
    assert run_in_shell("fish", script, project) == ["util:hello", "list\tList the schedules."]
