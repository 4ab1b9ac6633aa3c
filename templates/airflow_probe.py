"""What an installed Airflow says of itself, as one JSON object; run by Airflow's own Python.

It imports Airflow's configuration, because only that knows what wins (variables, files, commands,
defaults), and reads the metadata database with plain SQL. It changes nothing and prints no secret.
"""

import datetime
import glob
import importlib.util
import json
import logging
import os
import re
import sys
import warnings

answer = os.dup(1)
os.dup2(2, 1)  # Airflow's own remarks go to standard output
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import airflow  # noqa: E402
from airflow.configuration import conf  # noqa: E402

CONFIG_FILE = os.environ["AIRFLOW_CONFIG"]


def setting(section, key):
    return conf.get(section, key, fallback="") or ""


def has_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


def is_shared(sources, section, key):
    """Whether all processes that read the same file and variables get the same value."""
    value, source = sources.get(section, {}).get(key, (None, "default"))
    return source != "default" and bool(value)


def overriding_variables():
    """Variables that say something else than airflow.cfg does."""
    import configparser

    file = configparser.RawConfigParser(strict=False)
    file.read(CONFIG_FILE)
    names = []
    for section in file.sections():
        for key, value in file.items(section):
            name = f"AIRFLOW__{section.replace('.', '_').upper()}__{key.upper()}"
            # A percent sign stands twice in the file, and once in a variable. The caller sets
            # CONFIG_FILE, lest Airflow 2 makes another one.
            value = value.replace("%%", "%")
            if os.environ.get(name, value) not in (value, CONFIG_FILE):
                names.append(name)
    return names


def dags_folders():
    """The folders that are read, and whether DAGs come from anywhere else (git, ...)."""
    default = setting("core", "dags_folder")
    if airflow.__version__.startswith("2."):
        return [default], False
    bundles = json.loads(setting("dag_processor", "dag_bundle_config_list") or "[]")
    local = [b for b in bundles if b.get("classpath", "").endswith(".LocalDagBundle")]
    folders = [(b.get("kwargs") or {}).get("path") or default for b in local]
    return folders, len(local) < len(bundles)


def newest_revision():
    """Of the migrations that this Airflow brings."""
    folder = os.path.join(os.path.dirname(airflow.__file__), "migrations", "versions")
    known, superseded = set(), set()
    for name in glob.glob(os.path.join(folder, "*.py")):
        with open(name, encoding="utf-8") as file:
            text = file.read()
        known.update(re.findall(r"^revision\b[^=]*= *[\"'](\w+)", text, re.M))
        for parents in re.findall(r"^down_revision\b[^=]*=(.*)$", text, re.M):
            superseded.update(re.findall(r"[\"'](\w+)[\"']", parents))
    newest = known - superseded
    return newest.pop() if len(newest) == 1 else None


def as_time(value):
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    return value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)


def read_database(facts):
    import sqlalchemy

    url = sqlalchemy.engine.make_url(setting("database", "sql_alchemy_conn"))
    database = facts["database"]
    database["kind"] = url.get_backend_name()
    database["shown"] = f"{url.get_backend_name()}://{url.host or ''}/{url.database or ''}"
    if database["kind"] == "sqlite" and not os.path.exists(url.database or ""):
        return  # connecting would make the file
    arguments = {}
    if url.get_driver_name() in ("psycopg2", "psycopg"):
        arguments["connect_timeout"] = 10
    engine = sqlalchemy.create_engine(url, connect_args=arguments)
    with engine.connect() as connection:

        def rows(statement):
            return [dict(row._mapping) for row in connection.execute(sqlalchemy.text(statement))]

        now = as_time(rows("SELECT CURRENT_TIMESTAMP AS now")[0]["now"])
        here = datetime.datetime.now(datetime.timezone.utc)
        database["ahead_s"] = round((now - here).total_seconds(), 1)
        tables = set(sqlalchemy.inspect(connection).get_table_names())
        if not {"alembic_version", "dag", "import_error", "job", "slot_pool"} <= tables:
            return
        database["revision"] = rows("SELECT version_num FROM alembic_version")[0]["version_num"]
        for row in rows("SELECT * FROM dag"):
            facts["dags"].append({
                "id": row["dag_id"],
                "file": row.get("fileloc") or "",
                "is_paused": bool(row["is_paused"]),
                "is_current": not row.get("is_stale", False) and bool(row.get("is_active", True)),
            })
        for row in rows("SELECT filename, stacktrace FROM import_error"):
            lines = (row["stacktrace"] or "").strip().splitlines() or [""]
            facts["import_errors"].append({"file": row["filename"] or "", "text": lines[-1]})
        for row in rows("SELECT job_type, MAX(latest_heartbeat) AS beat FROM job"
                        " WHERE state = 'running' GROUP BY job_type"):
            if row["beat"]:
                age_s = int((now - as_time(row["beat"])).total_seconds())
                facts["heartbeats"][row["job_type"]] = age_s
        facts["pools"] = [row["pool"] for row in rows("SELECT pool FROM slot_pool")]


def main():
    folders, has_other_dags = dags_folders()
    sources = conf.as_dict(display_source=True, display_sensitive=True, raw=True)
    is_2 = airflow.__version__.startswith("2.")
    secrets = [("core", "fernet_key")]
    secrets += [("webserver", "secret_key")] if is_2 else [("api", "secret_key"),
                                                           ("api_auth", "jwt_secret")]
    facts = {
        "version": airflow.__version__,
        "executor": setting("core", "executor"),
        "folders": folders,
        "has_other_dags": has_other_dags,
        "overriding": overriding_variables(),
        "secrets": {f"{s}.{k}": is_shared(sources, s, k) for s, k in secrets},
        "has_bash": has_module("airflow.operators.bash" if is_2 else
                               "airflow.providers.standard.operators.bash"),
        "has_kubernetes": has_module("airflow.providers.cncf.kubernetes.operators.pod"),
        "database": {"kind": "", "shown": "", "error": None, "ahead_s": 0, "revision": None,
                     "newest_revision": newest_revision()},
        "dags": [],
        "import_errors": [],
        "heartbeats": {},
        "pools": [],
    }
    try:
        read_database(facts)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        facts["database"]["error"] = lines[0]
    with os.fdopen(answer, "w") as out:
        json.dump(facts, out)


main()
