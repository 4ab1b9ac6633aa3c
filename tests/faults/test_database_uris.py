"""Forms of database_uri, and servers that will not do: each said in one sentence, without password."""

import json
import os
import shutil
import subprocess
import urllib.parse

import pytest

from lab import STATE_ID
from support import postgres
from support.postgres import PASSWORD, USER, PostgresServer
from support.servers import free_port, stop, wait_until

STEPS = [["schema", "users"], ["counted", "users", 3, 1]]
ODD_PASSWORD = "100%/@:?# é"


def make_certificate(certificate, key):
    """Its own authority, for 127.0.0.1."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate


@pytest.fixture(scope="module")
def server():
    """With TLS, and a Unix socket in its directory."""
    server = PostgresServer()
    server.certificate = make_certificate(server._dir / "certificate", server._dir / "key")
    server.other_certificate = make_certificate(server._dir / "other", server._dir / "other-key")
    if server._account:
        os.chown(server._dir / "key", server._account.pw_uid, server._account.pw_gid)
    server.settings = {
        "ssl": "on",
        "ssl_cert_file": str(server.certificate),
        "ssl_key_file": str(server._dir / "key"),
        "unix_socket_directories": str(server._dir),
    }
    with server:
        server.psql(f"CREATE ROLE odd LOGIN PASSWORD '{ODD_PASSWORD}' SUPERUSER")
        yield server


def load(lab, uri, *options, **env):
    lab.prepare(STEPS)
    return lab.run("run", *options, "tap-a", "target-b", env={"MELTANO_DATABASE_URI": uri, **env})


def count(start=[0]) -> int:
    start[0] += 1
    return start[0]


@pytest.fixture
def database(server):
    name = f"uris{count()}"
    server.create_database(name)
    return name


FORMS = {
    "plain": "postgresql://{user}:{password}@{host}:{port}/{name}",
    "psycopg": "postgresql+psycopg://{user}:{password}@{host}:{port}/{name}",
    "psycopg2": "postgresql+psycopg2://{user}:{password}@{host}:{port}/{name}",
    "socket": "postgresql://{user}:{password}@/{name}?host={socket}&port={port}",
    "tls": "postgresql://{user}:{password}@{host}:{port}/{name}?sslmode=require",
    "checked tls": "postgresql://{user}:{password}@{host}:{port}/{name}"
    "?sslmode=verify-full&sslrootcert={certificate}",
    "odd password": "postgresql://odd:{odd}@{host}:{port}/{name}",
    "options": "postgresql://{user}:{password}@{host}:{port}/{name}"
    "?options=-csearch_path%3Dapart%20-cwork_mem%3D8MB&application_name=mine",
}


def fill(form: str, server: PostgresServer, name: str, **more) -> str:
    return form.format(
        **{
            "user": USER,
            "password": PASSWORD,
            "odd": urllib.parse.quote(ODD_PASSWORD, safe=""),
            "host": server.host,
            "port": server.port,
            "name": name,
            "socket": server._dir,
            "certificate": server.certificate,
            "other_certificate": server.other_certificate,
            **more,
        }
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_run_keeps_its_state_by_every_form_of_the_uri(lab, server, database, form):
    server.psql("CREATE SCHEMA apart", database)
    result = load(lab, fill(FORMS[form], server, database))
    assert result.status == 0, result.stderr
    schema = "apart" if form == "options" else "public"
    text = server.psql(f"SELECT completed_state FROM {schema}.state", database)
    assert json.loads(text)["singer_state"] == {"bookmarks": {"users": {"id": 3}}}
    assert PASSWORD not in result.stderr + result.stdout
    assert ODD_PASSWORD not in result.stderr + result.stdout


REFUSED = {
    "wrong password": (
        "postgresql://{user}:not-the-one@{host}:{port}/{name}",
        "password authentication failed",
    ),
    "wrong database": ("postgresql://{user}:{password}@{host}:{port}/none", "does not exist"),
    "wrong certificate": (
        "postgresql://{user}:{password}@{host}:{port}/{name}"
        "?sslmode=verify-full&sslrootcert=/etc/hostname",
        "could not read root certificate file",
    ),
    "other authority": (
        "postgresql://{user}:{password}@{host}:{port}/{name}"
        "?sslmode=verify-full&sslrootcert={other_certificate}",
        "certificate verify failed",
    ),
    "other name": (
        "postgresql://{user}:{password}@localhost:{port}/{name}"
        "?sslmode=verify-full&sslrootcert={certificate}",
        "does not match host name",
    ),
    "wrong key": (
        "postgresql://{user}:{password}@{host}:{port}/{name}"
        "?sslmode=require&sslcert={certificate}&sslkey=/etc/hostname",
        "private key file",
    ),
    "wrong tls mode": (
        "postgresql://{user}:{password}@{host}:{port}/{name}?sslmode=strict",
        "invalid sslmode value",
    ),
    "port out of range": ("postgresql://{user}:{password}@{host}:99999/{name}", "invalid port"),
    "wrong option": (
        "postgresql://{user}:{password}@{host}:{port}/{name}?options=-cno_such_thing%3D1",
        "unrecognized configuration parameter",
    ),
    "no password": ("postgresql://{user}@{host}:{port}/{name}", "no password supplied"),
    "wrong parameter": (
        "postgresql://{user}:{password}@{host}:{port}/{name}?charset=utf8",
        "unknown parameter 'charset'",
    ),
    "wrong port": ("postgresql://{user}:{password}@{host}:65x/{name}", "the port is not a number"),
    "wrong kind": ("mysql://{user}:{password}@{host}/{name}", "a database of the kind 'mysql'"),
    "no schema": (
        "postgresql://{user}:{password}@{host}:{port}/{name}?options=-csearch_path%3Dnone",
        "no schema has been selected",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_said_at_once_and_without_the_password(lab, server, database, case):
    form, text = REFUSED[case]
    result = load(lab, fill(form, server, database))
    assert result.status in (1, 20)
    assert text in result.stderr
    assert "Will retry" not in result.stderr
    assert PASSWORD not in result.stderr + result.stdout
    assert "not-the-one" not in result.stderr + result.stdout
    assert not lab.output.exists(), "the loader was started"


def test_a_server_that_is_away_is_tried_as_often_as_the_settings_say(lab, server, database):
    uri = fill(FORMS["plain"], server, database, port=1)
    retries = {"MELTANO_DATABASE_MAX_RETRIES": "2", "MELTANO_DATABASE_RETRY_TIMEOUT": "1"}
    result = load(lab, uri, **retries)
    assert result.status == 20
    assert result.stderr.count("DB connection failed. Will retry after 1s.") == 2
    assert 2 <= result.seconds < 10


def test_a_role_that_may_not_create_learns_what_it_needs(lab, server, database):
    server.psql("CREATE ROLE reader LOGIN PASSWORD 'reader-word'")
    uri = fill("postgresql://reader:reader-word@{host}:{port}/{name}", server, database)
    result = load(lab, uri)
    assert result.status == 20
    assert "permission denied for schema public" in result.stderr
    assert "GRANT CREATE ON SCHEMA" in result.stderr


def test_a_database_of_a_newer_meltano_is_refused(lab, server, database):
    uri = fill(FORMS["plain"], server, database)
    assert load(lab, uri).status == 0
    server.psql("UPDATE alembic_version SET version_num = 'ffffffffffff'", database)
    result = load(lab, uri)
    assert result.status == 20
    assert "unknown revision 'ffffffffffff'" in result.stderr
    assert server.psql("SELECT version_num FROM alembic_version", database).strip() == "f" * 12


@pytest.fixture
def replica(server, database):
    """A hot standby of the server, with the tables in it."""
    replica = PostgresServer()
    if replica._account:
        os.chown(replica._dir, replica._account.pw_uid, replica._account.pw_gid)
    subprocess.run(
        [postgres._programs() / "pg_basebackup", "--write-recovery-conf", "--no-sync"]
        + ["--checkpoint=fast", "-D", replica._dir / "data", "-d", server.uri()],
        check=True,
        cwd=replica._dir,
        **replica._identity(),
    )
    with replica:
        yield replica


def test_a_replica_can_be_read_and_not_written(lab, server, database, request):
    assert load(lab, fill(FORMS["plain"], server, database)).status == 0
    replica = request.getfixturevalue("replica")
    uri = {"MELTANO_DATABASE_URI": replica.uri(database)}
    assert '"id":3' in lab.run("state", "get", "dev:tap-a-to-target-b", env=uri).stdout
    result = load(lab, replica.uri(database))
    assert result.status == 20
    assert "is a replica" in result.stderr
    assert "transaction is aborted" not in result.stderr


PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
POOLER = """
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
"""


@pytest.fixture
def pooled(server, database, tmp_path, request):
    """The URI of the database through PgBouncer, in the mode that the test names."""
    if not PGBOUNCER:
        pytest.skip("no PgBouncer here: run tests/support/install-debian test")
    port = free_port()
    settings = server._dir / f"pgbouncer-{port}.ini"
    settings.write_text(fill(POOLER, server, "", listen_port=port, mode=request.param))
    with open(tmp_path / "pgbouncer.log", "wb") as log:
        process = subprocess.Popen(
            [PGBOUNCER, settings], cwd=server._dir, stderr=log, **server._identity()
        )
    ready = [postgres._programs() / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"]
    wait_until(lambda: subprocess.run(ready).returncode == 0, f"PgBouncer on port {port}")
    yield f"postgresql://{USER}:any@127.0.0.1:{port}/{database}"
    stop(process)


@pytest.mark.parametrize("pooled", ["transaction"], indirect=True)
def test_a_pooler_in_transaction_mode_is_refused(lab, server, pooled):
    result = load(lab, pooled)
    assert result.status == 20
    assert "through a pooler in transaction mode, where no lock lasts" in result.stderr
    assert "a pool in session mode" in result.stderr
    assert not lab.output.exists(), "the loader was started"
    assert server.psql("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'").strip() == "0"


@pytest.mark.parametrize("pooled", ["session"], indirect=True)
def test_a_pooler_in_session_mode_will_do(lab, pooled):
    result = load(lab, pooled)
    assert result.status == 0, result.stderr
    state = lab.run("state", "get", STATE_ID, env={"MELTANO_DATABASE_URI": pooled})
    assert '"id":3' in state.stdout, state.stderr


@pytest.mark.parametrize("pooled", ["session"], indirect=True)
def test_what_a_pooler_refuses_is_told_from_a_server_that_is_away(lab, pooled):
    retries = {"MELTANO_DATABASE_MAX_RETRIES": "0"}
    result = load(lab, f"{pooled}?options=-csearch_path%3Dpublic", **retries)
    assert result.status == 20
    assert "unsupported startup parameter" in result.stderr
    assert "A pooler in between refused it" in result.stderr
