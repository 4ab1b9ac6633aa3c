"""Logs of runs."""

import json


def run(project, *words: str) -> str:
    out = project("run", "tap-a", "target-b", *words).out
    return json.loads(out.splitlines()[-1])["run_id"]


def test_without_runs_there_is_nothing_to_list(project):
    result = project("logs", "list")
    assert (result.status, result.out) == (0, "No job runs found.\n")


def test_the_newest_run_comes_first(project):
    project("state", "set", "--force", "edited", '{"singer_state": {}}')
    first, second = run(project), run(project)
    listed = json.loads(project("logs", "list", "--format=json").out)
    assert [row["log_id"] for row in listed["runs"]] == [second, first]
    assert listed["total"] == 2
    assert set(listed["runs"][0]) == {
        "log_id", "job_name", "state", "started_at", "ended_at", "duration_seconds", "trigger",
    }  # fmt: skip
    assert json.loads(project("logs", "list", "-l1", "--format=json").out)["total"] == 1
    assert "✓ PASS" in project("logs", "list").out


def test_a_log_is_shown_by_the_id_of_its_run(project):
    run_id = run(project)
    out = project("logs", "show", run_id).out
    assert out.startswith(f"Job: dev:tap-a-to-target-b\nRun ID: {run_id}\nState: SUCCESS\n")
    assert "\n\nLog content:\n------------\n" in out
    assert "Running job with name" in out

    tail = project("logs", "show", "-n", "1", run_id).out
    assert "\nLast 1 lines:\n" in tail
    assert "Running job with name" not in tail

    data, _, _ = project("logs", "show", "--format=json", run_id).out.partition("\n\n")
    assert json.loads(data)["run_id"] == run_id


def test_a_log_that_is_gone_and_a_run_that_never_was(project):
    run_id = run(project)
    for path in (project.directory / ".meltano" / "logs").rglob("elt.log"):
        path.unlink()
    result = project("logs", "show", run_id)
    assert result.status == 1
    assert f"Log file not found for job run '{run_id}'" in result.err
    result = project("logs", "show", "01a2032c-0000-7000-8000-000000000000")
    assert result.status == 1
    assert "No job found with log ID" in result.err


def test_the_directory_is_printed_and_not_made(project):
    path = project.directory / ".meltano" / "logs"
    assert project("logs", "dir").out == f"{path}\n"
    assert not path.exists()
