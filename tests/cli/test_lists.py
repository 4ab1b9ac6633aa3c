"""Lists of what a project has."""

import json


def test_schedules_as_text(project):
    assert project("schedule", "list").out == (
        "[@daily] elt by-elt: tap-a → target-b x transforms\n"
        "[*/5 * * * *] job by-job: j1 → ['tap-a target-b', ['util:hello']]\n"
    )


def test_schedules_as_json(project):
    assert json.loads(project("schedule", "list", "--format=json").out) == {
        "schedules": {
            "job": [
                {
                    "name": "by-job",
                    "interval": "*/5 * * * *",
                    "cron_interval": "*/5 * * * *",
                    "env": {},
                    "job": {"name": "j1", "tasks": ["tap-a target-b", ["util:hello"]]},
                }
            ],
            "elt": [
                {
                    "name": "by-elt",
                    "extractor": "tap-a",
                    "loader": "target-b",
                    "transform": "skip",
                    "interval": "@daily",
                    "start_date": None,
                    "env": {"A": "1"},
                    "cron_interval": "0 0 * * *",
                    "last_successful_run_ended_at": None,
                    "elt_args": ["tap-a", "target-b", "--transform=skip", "--state-id=by-elt"],
                }
            ],
        }
    }


def test_a_schedule_without_its_job_is_an_error(project):
    path = project.directory / "meltano.yml"
    path.write_text(path.read_text().replace("job: j1", "job: j2"))
    result = project("schedule", "list", "--format=json")
    assert (result.status, result.out) == (1, "")
    assert "j2" in result.err and "meltano.yml" in result.err
    result = project("schedule", "list")
    assert (result.status, result.out) == (1, "[@daily] elt by-elt: tap-a → target-b x transforms\n")


def test_jobs(project):
    assert project("job", "list").out == "j1: ['tap-a target-b', ['util:hello']]\n"
    one = {"job_name": "j1", "tasks": ["tap-a target-b", ["util:hello"]]}
    assert json.loads(project("job", "list", "--format=json").out) == {"jobs": [one]}
    assert json.loads(project("job", "list", "j1", "--format=json").out) == one
    result = project("job", "list", "nope")
    assert (result.status, result.out) == (0, "Job 'nope' does not exist.\n")


def test_environments(project):
    assert project("environment", "list").out == "dev\nprod\n"


def test_plugins(project):
    rows = json.loads(project("plugin", "list", "--format=json").out)
    assert [(row["type"], row["name"]) for row in rows] == [
        ("extractor", "tap-a"),
        ("loader", "target-b"),
        ("utility", "util"),
    ]
    assert rows[0]["custom"] is True
    assert len(project("plugin", "list").out.splitlines()) == 4


def test_settings(project):
    out = project("config", "list", "tap-a", "--all").out
    assert "port [env: TAP_A_PORT] current value: 5432 (default)" in out
    assert "(redacted)" in out
    assert json.loads(project("config", "print", "tap-a").out)["port"] == 5432


def test_the_older_order_of_words_is_understood(project):
    new = project("config", "list", "tap-a", "--all").out
    assert project("config", "tap-a", "list", "--all").out == new
    assert project("config", "tap-a").out == project("config", "print", "tap-a").out
    result = project("config", "nope")
    assert result.status == 2
    assert "No such command 'nope'." in result.err


def test_an_unknown_plugin_is_named(project):
    result = project("config", "print", "nope")
    assert result.status == 1
    assert "Plugin 'nope' is not known to Meltano" in result.err
    result = project("config", "print", "--plugin-type=loader", "tap-a")
    assert result.status == 1
    assert "Loader 'tap-a' is not known to Meltano" in result.err
