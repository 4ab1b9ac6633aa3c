"""The golden DAG files mean the same to every Airflow from 2.7 on, and Python's linters agree."""

import subprocess

import pytest

from support.paths import ROOT, venv_bin

ALL_GOLDEN = ROOT / "tests" / "golden"
GOLDEN = ALL_GOLDEN / "dags"


@pytest.fixture(scope="session")
def golden(any_reader) -> dict:
    """All golden DAGs as one Airflow reads them; their ids are different on purpose."""
    result = any_reader.read(GOLDEN)
    assert result["errors"] == {}
    return result["dags"]


def test_every_file_is_read_without_a_complaint(golden):
    assert len(golden) == len(list(GOLDEN.glob("*/*.py")))


def test_a_plain_schedule(golden):
    dag = golden["orders-hourly"]
    tasks = dag["tasks"]
    assert {name: dag[name] for name in dag if name != "tasks"} == {
        "description": "Meltano schedule orders-hourly: job orders",
        "schedule": "0 * * * *",
        "start_date": "2024-01-01T00:00:00+00:00",
        "timezone": "UTC",
        "catchup": False,
        "max_active_runs": 1,
        "max_active_tasks": 16,
        "dagrun_timeout": None,
        "is_paused_upon_creation": None,
        "tags": ["job:orders", "meltano", "schedule:orders-hourly"],
        "on_failure_callback": [],
    }
    assert {name: task["upstream"] for name, task in tasks.items()} == {
        "tap_shop_target_lake": [],
        "dbt_deps_dbt_run": ["tap_shop_target_lake"],
        "dbt_test": ["dbt_deps_dbt_run"],
    }
    assert tasks["dbt_deps_dbt_run"] == {
        "command": "exec meltshim run dbt:deps dbt:run",
        "env": {"SHLVL": "1", "DBT_TARGET": "prod", "RETRIES": "3", "FULL": "True"},
        "append_env": True,
        "cwd": "/srv/shop",
        "upstream": ["tap_shop_target_lake"],
        "owner": "airflow",
        "retries": 1,
        "retry_delay": 300,
        "retry_exponential_backoff": False,
        "execution_timeout": None,
        "pool": "default_pool",
        "pool_slots": 1,
        "queue": "default",
        "priority_weight": 1,
        "depends_on_past": False,
        "outlets": [],
        "on_failure_callback": [],
    }


def test_schedules_of_all_kinds(golden):
    expected = {
        "orders-hourly": "0 * * * *",
        "customers": "15,45 6-20/2 * * mon-fri",
        "by-hand": None,
        "never": None,
        "weekend": "0 0 * * 5,6,0,1",
    }
    assert {name: golden[name]["schedule"] for name in expected} == expected


def test_every_annotation_arrives(golden):
    assert golden["annotated.customers"]["schedule"] == "assets"
    dag = golden["orders"]
    tasks = dag["tasks"]
    assert {name: dag[name] for name in dag if name != "tasks"} == {
        "description": "What was ordered",
        "schedule": "30 6 * * *",
        "start_date": "2023-02-04T23:00:00+00:00",  # midnight in Berlin
        "timezone": "Europe/Berlin",
        "catchup": False,
        "max_active_runs": 1,
        "max_active_tasks": 2,
        "dagrun_timeout": 86400,
        "is_paused_upon_creation": False,
        "tags": sorted([
            "a tag that is long enough to make the list of tags too long for a single line",
            "elt", "job:orders", "meltano", "orders", "schedule:orders",
        ]),
        "on_failure_callback": ["page"],
    }
    load, first, second = (
        tasks[name] for name in ("tap_shop_target_lake", "dbt_run", "dbt_again")
    )
    common = {
        "append_env": True,
        "cwd": "/srv/shop",
        "owner": "data-platform",
        "retry_delay": 90,
        "retry_exponential_backoff": True,
        "pool": "lake",
        "pool_slots": 2,
        "queue": "heavy",
        "priority_weight": -10,
        "depends_on_past": True,
        "on_failure_callback": ["page"],
    }
    for task in (load, first, second):
        assert {name: task[name] for name in common} == common
    assert (load["retries"], load["execution_timeout"]) == (5, 3600)
    assert (first["retries"], first["execution_timeout"]) == (0, 5400)
    assert load["outlets"] == first["outlets"] == []
    assert second["outlets"] == ["x-lake://shop/orders", "x-lake://shop/customers"]
    assert "SECOND" not in first["env"] and second["env"]["SECOND"] == "yes"
    assert second["env"]["MELTANO_ENVIRONMENT"] == "prod"


def test_the_graph_is_the_one_that_was_drawn(golden):
    upstream = {name: task["upstream"] for name, task in golden["everything"]["tasks"].items()}
    assert upstream == {
        "load.tap_shop_target_lake": [],
        "load.tap_crm_target_lake": [],
        "dbt_run": ["load.tap_crm_target_lake", "load.tap_shop_target_lake"],
        "report_sales": ["dbt_run"],
        "report_stock": ["dbt_run"],
        "import": ["report_sales", "report_stock"],
    }


def test_the_ids_of_the_stock_generators_can_be_kept(golden):
    """As meltano/files-airflow and airflow-ext make them."""
    assert list(golden["meltano_all_nightly"]["tasks"]) == [
        "meltano_all_nightly_task0", "meltano_all_nightly_task1"
    ]
    assert list(golden["meltano_customers"]["tasks"]) == ["extract_load"]


def test_a_tick_or_assets(reader):
    """Airflow has it since 2.9."""
    result = reader.read(ALL_GOLDEN / "since-2.9")
    assert result["errors"] == {}
    dag = result["dags"]["report-at-last"]
    assert (dag["schedule"], dag["timezone"]) == ("assets or 0 7 * * mon-fri", "Europe/Berlin")
    assert dag["tasks"]["report_sales"]["outlets"] == ["x-reports://sales"]


@pytest.mark.parametrize("arguments", [
    ["format", "--check"],
    ["check", "--preview", "--select=AIR,E,F,I,UP,PIE,RET,SIM"],
], ids=["format", "check"])
def test_linters_have_nothing_to_say(arguments):
    done = subprocess.run(
        [venv_bin("tests") / "ruff", arguments[0], "--no-cache", "--isolated", *arguments[1:],
         "."],
        cwd=ALL_GOLDEN,  # or it would take src/airflow for the module
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    assert done.returncode == 0, done.stdout
