"""What a run stands on is wrong before it begins: it says so, writes nothing, and tells no secret."""

import contextlib
import http.server
import os
import shutil
import socket
import sqlite3
import threading
import time
import urllib.parse

import pytest

from lab import STATE_ID
from support.servers import free_port

THREE = [["schema", "users"], ["counted", "users", 3, 1]]
SECRET = "open sesame: 50% @home/"
QUOTED = urllib.parse.quote(SECRET, safe="")


def check_refusal(result, status, *said) -> None:
    """The right exit status, a message that helps, and the secret nowhere."""
    everything = result.stdout + result.stderr
    assert result.status == status, everything
    for words in said:
        assert words.lower() in result.stderr.lower(), result.stderr
    for form in (SECRET, QUOTED):
        assert form not in everything
    record = result.record
    assert (record["status"], record["exit_code"]) == ("failed", status)
    assert record["error"]["hint"]


def run_with_uri(lab, uri):
    env = {"MELTANO_DATABASE_URI": uri, "MELTANO_DATABASE_MAX_RETRIES": "0"}
    return lab.load(steps=THREE, env=env)


# --- URIs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri, status, said",
    [
        (f"postgresql://user:{QUOTED}@127.0.0.1:1/db", 20, "127.0.0.1:1"),
        (f"postgresql://user:{QUOTED}@no-such-host.invalid/db", 20, "no-such-host.invalid"),
        (f"postgresql://user:{QUOTED}@127.0.0.1/db?sslmod=require", 1, "sslmod"),
        (f"mysql://user:{QUOTED}@127.0.0.1/db", 1, "mysql"),
        (f"user:{QUOTED}@127.0.0.1/db", 1, "database_uri"),
        (f"postgresql:/user:{QUOTED}@127.0.0.1/db", 1, "database_uri"),
        ("sqlite:////no/such/folder/at/all/meltano.db", 20, "/no/such/folder"),
        ("sqlite:////dev/null", 20, "/dev/null"),
        ("sqlite://", 1, "in memory"),
    ],
)
def test_a_wrong_uri_is_named_without_its_password(lab, uri, status, said):
    check_refusal(run_with_uri(lab, uri), status, said)
    assert not lab.output.exists()


def test_a_server_that_says_nothing_is_given_up(lab):
    """It takes connections and does not answer: a proxy whose server is gone."""
    listener = socket.create_server(("127.0.0.1", 0))
    uri = f"postgresql://user:{QUOTED}@127.0.0.1:{listener.getsockname()[1]}/db?connect_timeout=2"
    result = run_with_uri(lab, uri)
    listener.close()
    check_refusal(result, 20, "no answer")
    assert result.seconds < 10


# --- PostgreSQL -----------------------------------------------------------------------------------


@pytest.fixture
def role(postgres_lab, postgres):
    """A role with a password that is awkward in URIs, and no rights; gives its URI."""
    name = f"role_{os.getpid()}_{time.monotonic_ns()}"
    quoted = SECRET.replace("'", "''")
    database = postgres_lab.database_uri.rpartition("/")[2]
    postgres_lab.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{quoted}'")
    yield name, f"postgresql://{name}:{QUOTED}@{postgres.host}:{postgres.port}/{database}"
    postgres_lab.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_wrong_password_is_said_and_not_shown(postgres_lab, role, postgres):
    name, uri = role
    wrong = uri.replace(QUOTED, QUOTED + "x")
    check_refusal(run_with_uri(postgres_lab, wrong), 20, "password authentication failed", name)


def test_a_database_that_is_not_there_is_named(lab, postgres):
    result = run_with_uri(lab, postgres.uri("no_such_database"))
    check_refusal(result, 20, "no_such_database", "does not exist")


def test_a_role_that_may_not_make_tables_is_told_so(postgres_lab, role):
    result = run_with_uri(postgres_lab, role[1])
    check_refusal(result, 20, "permission denied")
    assert postgres_lab.query("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'") == [
        (0,)
    ]


def test_a_role_that_may_only_read_is_told_so(postgres_lab, role):
    lab = postgres_lab
    assert lab.load(steps=THREE).status == 0
    lab.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role[0]}")
    before = lab.query("SELECT * FROM runs"), lab.versions()
    check_refusal(run_with_uri(lab, role[1]), 20, "permission denied")
    assert (lab.query("SELECT * FROM runs"), lab.versions()) == before
    assert lab.loaded() == [1, 2, 3]
    listed = lab.run("state", "list", env={"MELTANO_DATABASE_URI": role[1]})
    assert (listed.status, listed.stdout.strip()) == (0, STATE_ID), listed.stderr


def test_a_read_only_server_is_told_from_missing_rights(postgres_lab):
    """A replica, or one that was set so: default_transaction_read_only."""
    lab = postgres_lab
    assert lab.load(steps=THREE).status == 0
    database = lab.database_uri.rpartition("/")[2]
    lab.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    result = run_with_uri(lab, lab.database_uri)
    check_refusal(result, 20, "read-only")
    assert lab.loaded() == [1, 2, 3]
    listed = lab.run("state", "get", STATE_ID)
    assert listed.status == 0 and '"id":3' in listed.stdout, listed.stderr


def test_an_empty_read_only_server_is_said(postgres_lab):
    database = postgres_lab.database_uri.rpartition("/")[2]
    postgres_lab.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    check_refusal(run_with_uri(postgres_lab, postgres_lab.database_uri), 20, "read-only")


@pytest.mark.parametrize(
    "change, said",
    [
        ("UPDATE alembic_version SET version_num = 'feedfacecafe'", "feedfacecafe"),
        ("UPDATE meltshim_schema SET version = 999", "newer meltshim"),
        ("DELETE FROM alembic_version", "alembic_version"),
    ],
)
def test_a_database_of_a_newer_program_is_refused_untouched(any_lab, change, said):
    lab = any_lab
    assert lab.load(steps=THREE).status == 0
    if lab.database_uri:
        lab.execute(change)
    else:
        with contextlib.closing(sqlite3.connect(lab.root / ".meltano" / "meltano.db")) as database:
            database.execute(change)
            database.commit()
    before = lab.query("SELECT * FROM runs")
    check_refusal(
        run_with_uri(lab, lab.database_uri or f"sqlite:///{lab.root}/.meltano/meltano.db"), 20, said
    )
    assert lab.query("SELECT * FROM runs") == before
    assert lab.loaded() == [1, 2, 3]


# --- SQLite ---------------------------------------------------------------------------------------


def database_of(lab):
    """After a run, with the journal merged into the file."""
    assert lab.load(steps=THREE).status == 0
    path = lab.root / ".meltano" / "meltano.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for journal in path.parent.glob("meltano.db-*"):
        journal.unlink()
    return path


@pytest.mark.parametrize("part", ["header", "first page", "pages in the middle", "second half"])
def test_a_corrupt_sqlite_file_is_said_and_left_as_it_is(lab, part):
    path = database_of(lab)
    content = bytearray(path.read_bytes())
    page = 4096
    if part == "header":
        content[0:100] = b"\xa5" * 100
    elif part == "first page":
        content[100:page] = b"\xa5" * (page - 100)
    elif part == "pages in the middle":
        content[page : len(content) - page] = b"\xa5" * (len(content) - 2 * page)
    else:
        del content[len(content) // 2 :]
    path.write_bytes(content)
    check_refusal(lab.load(steps=THREE), 20, str(path), "damaged")
    assert path.read_bytes() == content
    assert lab.loaded() == [1, 2, 3]


def test_one_damaged_page_never_gives_a_wrong_state(lab):
    """Whichever page it is: the run fails, or it is not concerned and the state is right."""
    path = database_of(lab)
    content = path.read_bytes()
    page = 4096
    outcomes = set()
    for number in range(1, len(content) // page):
        for journal in path.parent.glob("meltano.db-*"):
            journal.unlink()
        path.write_bytes(content[: number * page] + b"\xa5" * page + content[(number + 1) * page :])
        lab.output.unlink()
        shutil.rmtree(path.parent / "run", ignore_errors=True)  # what the last one could not write
        result = lab.load(steps=THREE)
        outcomes.add(result.status)
        if result.status == 0:
            assert lab.loaded() == [4, 5, 6]
            assert lab.state() == {"bookmarks": {"users": {"id": 6}}}
        else:
            assert result.status in (20, 22, 24), result.stderr
            assert "damaged" in result.stderr
        lab.output.touch()
    assert outcomes - {0}


# --- state backends -------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", "{", '{"completed_state": ', "[1]", '"text"', "\0\0\0"])
def test_a_state_file_with_broken_content_is_named_and_kept(lab, content):
    folder = lab.root / "states"
    env = {"MELTANO_STATE_BACKEND_URI": f"file://{folder}"}
    assert lab.load(steps=THREE, env=env).status == 0
    (path,) = folder.glob("**/state.json")
    path.write_text(content)
    result = lab.load(steps=THREE, env=env)
    check_refusal(result, 22, str(path))
    assert path.read_text() == content
    assert lab.loaded() == [1, 2, 3]
    assert lab.row_states() == ["SUCCESS", "FAIL"]


@pytest.mark.parametrize("part", ["completed_state", "partial_state"])
def test_a_state_in_the_database_that_is_no_json_is_named_and_kept(postgres_lab, part):
    lab = postgres_lab
    assert lab.load(steps=THREE).status == 0
    lab.execute(f"UPDATE state SET {part} = 'broken'")
    result = run_with_uri(lab, lab.database_uri)
    check_refusal(result, 22, f"the stored state of '{STATE_ID}': invalid JSON", "state rollback")
    assert lab.query(f"SELECT {part} FROM state") == [("broken",)]
    assert lab.loaded() == [1, 2, 3]
    newest = str(lab.versions())
    assert lab.run("state", "rollback", "--force", STATE_ID, newest).status == 0
    assert lab.load(steps=THREE).status == 0
    assert lab.state() == {"bookmarks": {"users": {"id": 6}}}


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers as an S3 service in trouble does; that of a service that works is in tests/compat."""

    def answer(self):
        self.server.requests.append(self.command)
        if self.server.pause:
            self.server.wakes.wait(self.server.pause)
        body = f"<Error><Code>{self.server.code}</Code><Message>trouble</Message></Error>".encode()
        with contextlib.suppress(OSError):
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def s3():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.requests, server.pause, server.wakes = [], 0, threading.Event()
    server.status, server.code = 503, "SlowDown"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.wakes.set()
    server.shutdown()
    thread.join()
    server.server_close()


def s3_settings(port) -> dict[str, str]:
    return {
        "MELTANO_STATE_BACKEND_URI": "s3://bucket/prefix",
        "MELTANO_STATE_BACKEND_S3_AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "MELTANO_STATE_BACKEND_S3_AWS_SECRET_ACCESS_KEY": SECRET,
        "MELTANO_STATE_BACKEND_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }


@pytest.mark.parametrize(
    "status, code, said",
    [
        (403, "AccessDenied", "AccessDenied"),
        (403, "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
        (404, "NoSuchBucket", "NoSuchBucket"),
        (503, "SlowDown", "503"),
        (500, "InternalError", "500"),
    ],
)
def test_s3_that_refuses_is_said_and_nothing_is_loaded(lab, s3, status, code, said):
    s3.status, s3.code = status, code
    result = lab.load(steps=THREE, env=s3_settings(s3.server_address[1]))
    check_refusal(result, 22, said)
    assert "PUT" not in s3.requests
    assert not lab.output.exists()
    assert lab.row_states() == ["FAIL"]


def test_s3_that_is_slow_is_given_up(lab, s3, soak):
    """In the long form it never answers: four times 20 seconds without a byte are waited for."""
    s3.pause = 3600 if soak else 2
    result = lab.load(steps=THREE, env=s3_settings(s3.server_address[1]), timeout=150)
    check_refusal(result, 22, "127.0.0.1" if soak else "503")
    assert result.seconds < 100
    assert not lab.output.exists()
    assert lab.row_states() == ["FAIL"]


def test_s3_that_is_not_there_is_named(lab):
    port = free_port()
    result = lab.load(steps=THREE, env=s3_settings(port))
    check_refusal(result, 22, f"127.0.0.1:{port}")
    assert not lab.output.exists()
