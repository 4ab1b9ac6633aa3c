"""Commands that change the project's files."""

import json

import pytest


def text(project) -> str:
    return (project.directory / "meltano.yml").read_text()


def test_environments_come_and_go(project):
    before = text(project)
    assert project("environment", "add", "test").out == "Created new environment 'test'\n"
    assert project("environment", "list").out.split() == ["dev", "prod", "test"]
    result = project("environment", "add", "test")
    assert result.status == 1
    assert "An Environment named 'test' already exists." in result.err
    assert project("environment", "remove", "test").out == "Removed environment 'test'\n"
    assert text(project) == before
    assert "Environment 'test' was not found." in project("environment", "remove", "test").err
    for name in ("a:b", ""):
        assert project("environment", "add", name).status == 1


def test_a_schedule_for_a_job(project):
    before = text(project)
    result = project("schedule", "add", "new", "--interval", "@hourly", "--job", "j1")
    assert (result.status, result.out) == (0, "Scheduled job 'new' at @hourly\n")
    added = "- name: new\n  interval: '@hourly'\n  job: j1\n"
    assert text(project) == before + added
    result = project("schedule", "set", "new", "--interval=0 5 * * mon")
    assert (result.status, result.out) == (0, "Updated schedule 'new'\n")
    assert "interval: '0 5 * * mon'" in text(project)
    assert project("schedule", "remove", "new").status == 0
    assert text(project) == before
    assert "Schedule 'new' was not found." in project("schedule", "remove", "new").err


def test_a_schedule_without_a_job(project):
    words = ["--interval=@daily", "--extractor=tap-a", "--loader=target-b"]
    assert project("schedule", "new", *words).out == "Scheduled elt 'new' at @daily\n"
    assert project("schedule", "set", "new", "--transform=run").status == 0
    elts = json.loads(project("schedule", "list", "--format=json").out)["schedules"]["elt"]
    assert [(elt["name"], elt["transform"]) for elt in elts] == [
        ("by-elt", "skip"),
        ("new", "run"),
    ]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["add", "by-job", "--interval=@daily", "--job=j1"], 0, ""),
        (["add", "x", "--interval=61 * * * *", "--job=j1"], 1,
         "Invalid Cron expression or alias: '61 * * * *'."),
        (["add", "x", "--interval=@daily", "--job=j1", "--loader=l"], 1, "Cannot mix --job with"),
        (["add", "x", "--interval=@daily"], 2, "Missing --extractor."),
        (["add", "x", "--interval=@daily", "--extractor=e"], 2, "Missing --loader."),
        (["add", "x", "--job=j1"], 2, "Missing option '--interval'."),
        (["set", "by-job", "--loader=l"], 1, "Cannot mix --job with"),
        (["set", "by-elt", "--job=j1"], 1, "Cannot mix --job with"),
        (["set", "nope", "--job=j1"], 1, "Schedule 'nope' was not found."),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_made_changes_nothing(project, words, status, message):
    before = text(project)
    result = project("schedule", *words)
    assert result.status == status
    assert message in result.err
    assert text(project) == before


def test_a_read_only_project_is_not_changed(project):
    before = text(project)
    result = project("environment", "add", "x", MELTANO_PROJECT_READONLY="true")
    assert result.status == 1
    assert "deployed as read-only" in result.err
    assert text(project) == before


def test_init_makes_a_project_that_works(shell):
    result = shell("init", "new/project")
    assert result.status == 0, result.err
    shell.directory = shell.directory / "new" / "project"
    assert shell("environment", "list").out.split() == ["dev", "staging", "prod"]
    assert (shell.directory / ".gitignore").read_text().split() == ["/venv", "/.meltano", ".env"]

    readme = shell.directory / "README.md"
    readme.write_text("kept")
    assert shell("init", ".").status == 1
    result = shell("init", "--force", "--no-usage-stats", ".")
    assert "README.md (skipped)" in result.out
    assert readme.read_text() == "kept"
    assert "send_anonymous_usage_stats: false" in text(shell)


def test_dag_files_follow_the_schedules(project):
    dags = project.directory / "orchestrate" / "dags"
    result = project("airflow", "generate", "--check")
    assert result.status == 1
    assert "+++ " in result.out
    assert not dags.exists()

    assert "2 added" in project("airflow", "generate").out
    assert sorted(path.name for path in dags.glob("*.py")) == ["by-elt.py", "by-job.py"]
    assert "2 unchanged" in project("airflow", "generate").out
    assert project("airflow", "generate", "--check").status == 0

    (dags / "foreign.py").write_text("# mine\n")
    project("schedule", "remove", "by-elt")
    assert "-" in project("airflow", "generate", "--diff").out
    assert "1 removed" in project("airflow", "generate").out
    assert sorted(path.name for path in dags.glob("*.py")) == ["by-job.py", "foreign.py"]

    listed = json.loads(project("airflow", "list", "--format=json").out)
    assert [dag["schedule"] for dag in listed["dags"]] == ["by-job"]
    assert "by-job" in project("airflow", "list").out
    assert "dag_id" in project("airflow", "explain", "by-job").out
    assert project("airflow", "explain", "nope").status == 1


def test_the_dag_folder_is_that_of_the_airflow_plugin(project):
    path = project.directory / "meltano.yml"
    path.write_text(
        path.read_text().replace(
            "  utilities:\n",
            "  utilities:\n"
            "  - name: airflow\n"
            "    namespace: airflow\n"
            "    settings:\n"
            "    - {name: core.dags_folder, value: $MELTANO_PROJECT_ROOT/elsewhere}\n",
        )
    )
    project("airflow", "generate")
    assert (project.directory / "elsewhere" / "by-job.py").exists()
    result = project("airflow", "generate", "--output", "mine")
    assert result.status == 0
    assert (project.directory / "mine" / "by-job.py").exists()
