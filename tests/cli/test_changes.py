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
    assert "in new/project/meltano.yml, then run 'meltshim install' there." in result.out
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


def test_settings_change_where_they_belong(project):
    out = project("config", "set", "tap-a", "port", "99").out
    assert out == "Extractor 'tap-a' setting 'port' was set in `meltano.yml`: 99\n"
    assert "      port: 99\n" in text(project)

    out = project("config", "set", "tap-a", "password", "s3cret", "--store=dotenv").out
    assert out == "Extractor 'tap-a' setting 'password' was set in `.env`: (redacted)\n"
    dotenv = project.directory / ".env"
    assert dotenv.read_text() == "TAP_A_PASSWORD='s3cret'\n"
    assert dotenv.stat().st_mode & 0o777 == 0o600

    out = project("config", "unset", "tap-a", "port", TAP_A_PORT="7").out
    assert "Current value is now: 7 (from the TAP_A_PORT variable in the environment)" in out
    assert json.loads(project("config", "print", "tap-a").out)["port"] == 5432


def test_a_value_comes_from_a_file_or_standard_input(project, tmp_path):
    path = tmp_path / "value"
    path.write_text("  secret\n")
    assert project("config", "set", "tap-a", "password", "--from-file", str(path)).status == 0
    assert "='secret'" in (project.directory / ".env").read_text()
    assert project("config", "set", "tap-a", "port", "--from-file=-", stdin="12\n").status == 0
    assert "      port: 12\n" in text(project)


def test_the_older_order_of_words_changes_settings_too(project):
    assert project("config", "tap-a", "set", "port", "98").status == 0
    assert "      port: 98\n" in text(project)
    assert project("config", "tap-a", "unset", "port").status == 0
    assert "port: 98" not in text(project)


def test_a_setting_needs_a_value(project):
    before = text(project)
    for words in (["tap-a"], ["tap-a", "port"]):
        assert project("config", "set", *words).status == 2
    result = project("config", "set", "tap-a", "port", "many")
    assert result.status == 1
    assert "many" in result.err
    result = project("config", "set", "tap-a", "password", "(redacted)")
    assert result.status == 0
    assert text(project) == before


def test_reset_asks_and_removes(project):
    (project.directory / ".env").write_text("TAP_A_PORT=1\nOTHER=2\n")
    assert project("config", "reset", "tap-a", stdin="n\n").status == 1
    assert "hunter2" in text(project)
    assert project("config", "reset", "tap-a", "--yes").status == 0
    assert "hunter2" not in text(project)
    assert (project.directory / ".env").read_text() == "OTHER=2\n"


def test_jobs_come_change_and_go(project):
    before = text(project)
    result = project("job", "add", "j2", "--tasks", "tap-a target-b")
    assert (result.status, result.out) == (0, "Added job j2: ['tap-a target-b']\n")
    result = project("job", "set", "j2", "--tasks", "[util:hello, [tap-a, target-b]]")
    assert (result.status, result.out) == (
        0,
        "Updated job j2: ['util:hello', ['tap-a', 'target-b']]\n",
    )
    assert project("run", "j2").status == 0
    assert project("job", "remove", "j2").out == "Removed job 'j2'.\n"
    assert text(project) == before
    assert project("job", "set", "nope", "--tasks=util:hello").out == "Job 'nope' does not exist.\n"
    assert "Job 'nope' was not found." in project("job", "remove", "nope").err


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ("tap-a", "Loader missing in block set!"),
        ("[tap-a target-b, nope]", "nope not found"),
        ("{a: b}", "has invalid tasks"),
        ("[[[tap-a]]]", "has invalid tasks"),
        ("[5]", "has invalid tasks"),
        ("[", "has invalid tasks"),
    ],
)
def test_tasks_that_cannot_run_are_refused(project, tasks, message):
    before = text(project)
    result = project("job", "add", "j2", "--tasks", tasks)
    assert result.status == 1
    assert message in result.err
    assert text(project) == before


def test_a_job_is_not_added_twice(project):
    result = project("job", "add", "j1", "--tasks", "util:hello")
    assert result.status == 1
    assert "Job 'j1' already exists." in result.err
