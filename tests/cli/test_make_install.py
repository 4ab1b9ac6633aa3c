"""What `make install` puts down, and `make uninstall` takes away."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def make(goal: str, root: Path) -> set[str]:
    """The files below the root afterwards."""
    subprocess.run(["make", "-s", goal, f"DESTDIR={root}", "PREFIX=/opt/shim"], cwd=ROOT, check=True)
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def test_what_is_installed_can_be_removed(tmp_path):
    other = tmp_path / "opt/shim/bin/other"
    other.parent.mkdir(parents=True)
    other.touch()
    installed = make("install", tmp_path)
    assert {
        "opt/shim/bin/meltshim",
        "opt/shim/bin/meltshim-airflow",
        "opt/shim/lib/meltshim/meltshim-postgres.so",
        "opt/shim/lib/systemd/system/meltshim-airflow-all@.service",
        "opt/shim/share/bash-completion/completions/meltshim",
        "opt/shim/share/zsh/site-functions/_meltshim",
        "opt/shim/share/fish/vendor_completions.d/meltshim.fish",
    } < installed
    completion = (tmp_path / "opt/shim/share/bash-completion/completions/meltshim").read_text()
    assert "complete -o default -F _meltshim meltshim" in completion
    assert make("uninstall", tmp_path) == {"opt/shim/bin/other"}
