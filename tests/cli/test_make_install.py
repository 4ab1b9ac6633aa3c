"""What `make install` puts down, and `make uninstall` takes away."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def make(goal: str, root: Path) -> set[str]:
    """The files below the root afterwards. PREFIX is a part of the program: with another one, the
    program that other suites are using would be built anew."""
    subprocess.run(["make", "-s", goal, f"DESTDIR={root}"], cwd=ROOT, check=True)
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_what_is_installed_can_be_removed(tmp_path):
    other = tmp_path / "usr/local/bin/other"
    other.parent.mkdir(parents=True)
    other.touch()
    installed = make("install", tmp_path)
    assert {
        "usr/local/bin/meltshim",
        "usr/local/bin/meltshim-airflow",
        "usr/local/lib/meltshim/meltshim-postgres.so",
        "usr/local/lib/systemd/system/meltshim-airflow-all@.service",
        "usr/local/share/bash-completion/completions/meltshim",
        "usr/local/share/zsh/site-functions/_meltshim",
        "usr/local/share/fish/vendor_completions.d/meltshim.fish",
    } < installed
    completion = (tmp_path / "usr/local/share/bash-completion/completions/meltshim").read_text()
    assert "complete -o default -F _meltshim meltshim" in completion
    assert make("uninstall", tmp_path) == {"usr/local/bin/other"}
