"""The example `flights`, executed by a real Airflow."""

import json
import subprocess

import pytest

from support.airflow import Airflow, AirflowServer
from support.examples import Example, get_flights
from support.servers import wait_until

JANUARY, FEBRUARY = 27004, 24951


@pytest.fixture
def flights(meltshim, tmp_path):
    example = Example("flights", tmp_path)
    get_flights(example.root, 1)
    return example


def rows(example) -> dict[str, int]:
    """How many flights of each month are in the database, as report/rows.py says."""
    lines = example.run("invoke", "report:rows").splitlines()
    return {month: int(rest.split()[0]) for month, rest in (line.split(": ") for line in lines)}


def records_of(record: dict, stream: str) -> int:
    return sum(entry["records"] for entry in record["streams"] if entry["name"] == stream)


def examine(example, airflow) -> tuple[int, list[dict]]:
    """What `airflow doctor` finds wrong, or worth a note but for the choices of this test."""
    done = subprocess.run(
        ["meltshim", "airflow", "doctor", "--output", example.dags, "--format=json"],
        cwd=example.root, env=airflow.env, capture_output=True, text=True,
    )
    chosen = ("database", "variables", "paused")
    findings = json.loads(done.stdout)["findings"]
    return done.returncode, [finding for finding in findings
                             if finding["level"] != "ok" and finding["check"] not in chosen]


def test_the_scheduler_loads_what_is_new(flights, check_record, tmp_path):
    flights.run("run", "flights")
    assert rows(flights) == {"2013-01": JANUARY, "all": JANUARY}
    dag = flights.dag_of("flights-daily")

    with AirflowServer(tmp_path / "airflow", flights.generate_dags()) as airflow:
        get_flights(flights.root, 2)
        load, report = (check_record(last_line) for last_line in airflow.succeed(dag))
        assert records_of(load, "flights") == FEBRUARY
        assert load["trigger"]["kind"] == "airflow"
        assert load["trigger"]["dag_id"] == dag
        assert load["trigger"]["task_id"] != report["trigger"]["task_id"]
        assert report["status"] == "success"
        assert rows(flights)["2013-02"] == FEBRUARY

        load, _ = (check_record(last_line) for last_line in airflow.succeed(dag))
        assert records_of(load, "flights") == 0
        assert rows(flights)["all"] == JANUARY + FEBRUARY

        assert examine(flights, airflow) == (0, [])
        with open(flights.dags / f"{dag}.py", "a") as file:
            file.write("import nowhere\n")
        wait_until(lambda: airflow.get("/api/v2/importErrors")["import_errors"],
                   "an import error", 60, 0.5)
        status, findings = examine(flights, airflow)
        assert status == 1
        assert [(finding["check"], finding["message"]) for finding in findings][0] == (
            "import-errors", f"{dag}.py: ModuleNotFoundError: No module named 'nowhere'"
        )


def test_the_same_file_runs_on_airflow_2(flights, tmp_path):
    airflow = Airflow(tmp_path / "airflow", flights.generate_dags(), venv="airflow2")
    done = airflow.test_dag(flights.dag_of("flights-daily"))
    assert done.returncode == 0, done.stdout
    assert rows(flights) == {"2013-01": JANUARY, "all": JANUARY}
