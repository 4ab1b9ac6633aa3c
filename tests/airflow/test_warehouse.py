"""The example `warehouse`, with Airflow's own metadata in PostgreSQL too."""

from support.airflow import AirflowServer
from support.examples import Example, fill_source


def test_from_database_to_database_and_dbt(meltshim, check_record, postgres, tmp_path, monkeypatch):
    metadata = postgres.create_database("airflow").replace("postgresql:", "postgresql+psycopg2:")
    for name, value in postgres.environment().items():
        monkeypatch.setenv(name, value)  # Airflow hands them to its tasks
    warehouse = Example("warehouse", tmp_path)
    dag = warehouse.dag_of("warehouse-hourly")

    with AirflowServer(tmp_path / "airflow", warehouse.generate_dags(), metadata) as airflow:
        # Two flights of January left in the hour of the bookmark, and are sent again.
        for month, sent, stored in ((1, 27004, 27004), (2, 24953, 51955)):
            fill_source(postgres, month)
            load, build = (check_record(last_line) for last_line in airflow.succeed(dag))
            counts = {stream["name"]: stream["records"] for stream in load["streams"]}
            assert counts == {"airlines": 16, "flights": sent}
            assert build["status"] == "success"
            found = postgres.psql("SELECT count(*) FROM raw.flights", "warehouse")
            assert found == f"{stored}\n"
            built = postgres.psql("SELECT sum(flights) FROM analytics.route_traffic", "warehouse")
            assert built == f"{stored}\n"
