"""Two failures of the same cause are recognised, whatever numbers and paths they print."""

import json

import pytest

THREE = [["schema", "users"], ["counted", "users", 3, 1]]


def error(lab, check_record, *options, steps, **more) -> dict:
    result = lab.load(*options, steps=steps, **more)
    return check_record(result.stdout.splitlines()[-1])["error"]


def test_numbers_and_paths_make_no_difference(lab, check_record):
    first = error(
        lab, check_record, steps=[["stderr", "error in row 17 of /tmp/a.csv at 12:30"], ["exit", 3]]
    )
    second = error(
        lab, check_record, steps=[["stderr", "error in row 9 of /data/x.csv at 23:59"], ["exit", 3]]
    )
    other = error(lab, check_record, steps=[["stderr", "error in row 9"], ["exit", 3]])
    assert first["signature"] == "tap tap-a, exit status 3: error in row # of <path> at #"
    assert first["fingerprint"] == second["fingerprint"] != other["fingerprint"]


def test_an_exception_is_its_type_and_its_functions(lab, check_record):
    found = {
        error(lab, check_record, steps=[*THREE, ["raise", text]])["signature"]
        for text in ("no such customer", "the moon is down")
    }
    assert found == {
        "tap tap-a, exit status 1: ValueError at tap:<module> > tap:main > tap:fail_in_python"
    }


def test_an_exception_in_a_structured_event_is_read(lab, check_record):
    frames = [
        {"filename": f"/venv/{name}.py", "function": name, "lineno": 7, "line": "x" * 200}
        for name in ("main", "sync", "fetch")
    ]
    exception = {"type": "HTTPError", "module": "requests", "message": "404", "traceback": frames}
    event = {"level": "error", "message": "it failed", "exception": exception}
    steps = [*THREE, ["stderr", json.dumps(event)], ["exit", 1]]
    expected = "tap tap-a, exit status 1: HTTPError at main.py:main > sync.py:sync > fetch.py:fetch"
    assert error(lab, check_record, steps=steps)["signature"] == expected


@pytest.mark.parametrize(
    "options, steps, signature",
    [
        (["--timeout=2"], [*THREE, ["sleep", 3600]], "timeout: the run timed out"),
        (
            ["--idle-timeout=2"],
            [*THREE, ["sleep", 3600]],
            "idle: no byte has moved for # s: extractor 'tap-a' sleeps",
        ),
    ],
    ids=["timeout", "idle"],
)
def test_what_we_ended_ourselves_has_a_signature(lab, check_record, options, steps, signature):
    assert error(lab, check_record, *options, steps=steps)["signature"] == signature


def test_whoever_has_the_lock_makes_no_difference(lab, check_record):
    task = {"AIRFLOW_CTX_DAG_ID": "a", "AIRFLOW_CTX_TASK_ID": "b", "AIRFLOW_CTX_DAG_RUN_ID": "c"}
    for env in ({}, {**task, "AIRFLOW_CTX_TRY_NUMBER": "1"}):
        owner = lab.start_and_wait_for_state(env=env)
        found = error(lab, check_record, "--on-running=fail", steps=THREE)
        assert found["signature"] == "locked: another run of 'dev:tap-a-to-target-b'"
        owner.terminate()
        owner.communicate(timeout=20)


def test_failures_are_counted(lab):
    for number in (1, 22, 333):
        lab.load(steps=[["stderr", f"error {number}"], ["exit", 3]])
    last = lab.load(steps=[["stderr", "another error"], ["exit", 3]])
    lab.load(steps=THREE)
    failures = json.loads(lab.run("runs", "failures", "--format=json").stdout)["failures"]
    assert [failure["times"] for failure in failures] == [1, 3]
    assert failures[0]["fingerprint"] == last.record["error"]["fingerprint"]
    assert failures[0]["run_ids"] == [last.record["run_id"]]
    assert failures[1]["signature"] == "tap tap-a, exit status 3: error #"
    assert failures[1]["state_ids"] == ["dev:tap-a-to-target-b"]
    assert failures[1]["first_at"] < failures[1]["last_at"]
    table = lab.run("runs", "failures").stdout.splitlines()
    assert table[0].split()[0] == "TIMES" and table[2].split()[0] == "3"
    shown = lab.run("runs", "show", "--format=text", failures[1]["run_ids"][0]).stdout
    assert f"{failures[1]['fingerprint']}, seen 3 times since" in shown
    assert lab.run("runs", "failures", "--state-id=none").stdout == "No failures are recorded.\n"
