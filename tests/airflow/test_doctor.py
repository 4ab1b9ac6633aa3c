"""airflow doctor, before real Airflows."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

DOCUMENT = {
    "jobs": [{"name": "j", "tasks": ["tap-a target-b"]}],
    "schedules": [
        {"name": "plain", "interval": "@daily", "job": "j"},
        {"name": "pooled", "interval": "@daily", "job": "j",
         "annotations": {"meltshim": {"airflow": {
             "pool": "lake", "tasks": {"tap-a target-b": {"pool": "default_pool"}}}}}},
    ],
}

class Doctor:
    def __init__(self, reader, folder: Path, meltshim: Path):
        self.reader = reader
        self.folder = folder
        self.dags = folder / "dags"
        self.root = folder / "project"
        self.meltshim = meltshim
        self.dags.mkdir()
        self.root.mkdir()
        self.home = Path(shutil.copytree(reader.home, folder / "home"))
        self.env = {
            **reader.airflow.env,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db",
        }
        self.describe(DOCUMENT)

    def describe(self, document: dict) -> None:
        (self.root / "meltano.yml").write_text(json.dumps(document))

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.meltshim, "airflow", *arguments], cwd=self.root, env={**self.env, **env},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=180,
        )

    def generate(self) -> None:
        done = self.run("generate", "--output", str(self.dags))
        assert done.returncode == 0, done.stderr

    def airflow(self, *arguments: str) -> None:
        done = subprocess.run(
            [self.reader.airflow.program, *arguments], env=self.env, cwd=self.home,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout[-3000:]

    def findings(self, *arguments: str, **env: str) -> list[tuple[str, str, str, str]]:
        done = self.run("doctor", "--output", str(self.dags), "--format=json", *arguments, **env)
        assert done.stdout, done.stderr
        answer = json.loads(done.stdout)
        rows = [(f["level"], f["check"], f["message"], f["mend"]) for f in answer["findings"]]
        assert answer["wrong"] == len([row for row in rows if row[0] == "wrong"])
        assert done.returncode == (1 if answer["wrong"] else 0)
        return rows


@pytest.fixture
def doctor(reader, tmp_path, meltshim):
    return Doctor(reader, tmp_path, meltshim)


def of(findings: list, check: str) -> list:
    return [(level, message, mend) for level, name, message, mend in findings if name == check]


def test_what_airflow_knows_of_the_dags(doctor):
    doctor.generate()
    before = doctor.findings()
    [(level, message, _)] = of(before, "airflow")
    assert level == "ok" and message.startswith("Airflow ")
    assert of(before, "dag-folder") == [("ok", str(doctor.dags), None)]
    assert of(before, "dags") == [
        ("wrong", "Airflow has not read plain, pooled yet", "airflow dags reserialize")
    ]
    assert of(before, "pools") == [
        ("wrong", "the pool 'lake' does not exist: tasks that name it stay queued",
         "airflow pools set lake 1 ''")
    ]
    assert ("wrong", "no scheduler is running", "airflow scheduler") in of(before, "scheduler")

    for row in before:
        if row[1] in ("dags", "pools"):
            doctor.airflow(*row[3].replace("''", "x").split()[1:])
    after = doctor.findings()
    assert of(after, "dags") == []
    assert of(after, "pools") == []
    assert of(after, "paused") == [
        ("note", f"the DAG '{dag}' is paused", f"airflow dags unpause {dag}")
        for dag in ("plain", "pooled")
    ]


def test_a_dag_that_is_in_two_files(doctor):
    doctor.generate()
    (doctor.dags / "plain.py").rename(doctor.dags / "old.py")
    doctor.airflow("dags", "reserialize")
    doctor.generate()
    assert of(doctor.findings(), "dags") == [
        ("wrong", f"the DAG 'plain' is also in {doctor.dags}/old.py", f"rm {doctor.dags}/old.py")
    ]


def test_secrets_that_every_process_would_make_for_itself(doctor):
    """As the file is that Meltano writes from Airflow's defaults."""
    config = doctor.home / "airflow.cfg"
    config.write_text("[core]\nload_examples = False\n[api]\n[webserver]\n")
    config.chmod(0o644)
    findings = of(doctor.findings(), "secrets")
    wrong = [(message.split()[0], mend) for level, message, mend in findings if level == "wrong"]
    make = '"$(openssl rand -base64 32 | tr \'+/\' \'-_\')"'
    if doctor.reader.airflow.program.find("airflow2") > 0:
        assert wrong == [
            ("webserver.secret_key", f"export AIRFLOW__WEBSERVER__SECRET_KEY={make}")
        ]
    else:
        assert wrong == [
            ("api.secret_key", f"export AIRFLOW__API__SECRET_KEY={make}"),
            ("api_auth.jwt_secret", f"export AIRFLOW__API_AUTH__JWT_SECRET={make}"),
        ]
    assert ("note", f"others can read {config}, which may hold secrets",
            f"chmod 600 {config}") in findings


def test_a_database_that_does_not_answer(doctor):
    uri = "postgresql+psycopg2://someone:hush-hush@127.0.0.1:1/airflow"
    done = doctor.run("doctor", AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=uri)
    assert done.returncode == 1
    assert "the metadata database postgresql://127.0.0.1/airflow cannot be read: " in done.stdout
    assert "> airflow db check\n" in done.stdout
    assert "hush-hush" not in done.stdout + done.stderr


def test_a_database_without_tables(doctor):
    missing = doctor.home / "other.db"
    findings = doctor.findings(AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{missing}")
    [(level, message, mend)] = of(findings, "database")
    assert (level, mend) == ("wrong", "airflow db migrate")
    assert message.endswith("has no tables yet")
    assert not missing.exists()


def test_folder_files_and_variables(doctor):
    findings = doctor.findings(
        AIRFLOW__CORE__DAGS_FOLDER=str(doctor.home), AIRFLOW__CORE__EXECUTOR="CeleryExecutor",
        MELTANO_ENVIRONMENT="",
    )
    assert of(findings, "dag-folder") == [
        ("wrong", f"Airflow reads {doctor.home}, the project's files go to {doctor.dags}",
         f"meltshim airflow generate --output {doctor.home}/project")
    ]
    assert of(findings, "files") == [
        ("wrong", f"{doctor.dags}: 2 missing, 0 stale, 0 left over",
         f"meltshim airflow generate --output {doctor.dags}")
    ]
    assert of(findings, "executor")[-1][0] == "wrong"
    assert "system database is a SQLite file" in of(findings, "executor")[-1][1]
    assert ("note", "MELTANO_ENVIRONMENT is set, and overrides the project",
            "unset MELTANO_ENVIRONMENT") in of(findings, "variables")


def test_a_dag_folder_that_is_not_there_yet(doctor):
    doctor.dags = doctor.home / "none"
    findings = doctor.findings(AIRFLOW__CORE__DAGS_FOLDER=str(doctor.dags))
    assert of(findings, "dag-folder") == [("ok", str(doctor.dags), None)]


def test_a_percent_sign_is_the_same_in_the_file_and_in_a_variable(doctor):
    (doctor.home / "airflow.cfg").write_text("[smtp]\nsmtp_user = a%%40b\nsmtp_host = c%%40d\n")
    findings = doctor.findings(AIRFLOW__SMTP__SMTP_USER="a%40b", AIRFLOW__SMTP__SMTP_HOST="e%40f")
    said = [message for _, message, _ in of(findings, "variables") if "win over" in message]
    assert [message.rpartition(": ")[2] for message in said] == ["AIRFLOW__SMTP__SMTP_HOST"]


def test_an_airflow_that_was_never_started(doctor):
    (doctor.home / "airflow.cfg").unlink()
    [(level, message, mend)] = of(doctor.findings(), "airflow")
    assert (level, mend) == ("wrong", "airflow db migrate")
    assert message.endswith(f"was never started: there is no {doctor.home}/airflow.cfg")
    assert not (doctor.home / "airflow.cfg").exists()
