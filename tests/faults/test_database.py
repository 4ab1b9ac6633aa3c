"""The system database goes away while a run goes on: stopped, cut off, full, locked, refusing."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest

from lab import STATE_ID, Lab, fill, needs_root
from support.postgres import PostgresServer

@pytest.fixture(scope="module")
def server():
    with PostgresServer() as server:
        yield server


class DatabaseLab:
    """A lab whose system database is a new one of the server."""

    count = 0

    def __init__(self, lab: Lab, server: PostgresServer):
        DatabaseLab.count += 1
        self.lab = lab
        self.server = server
        if server.process is None:
            server.start()
        self.name = f"faults{DatabaseLab.count}"
        self.uri = server.create_database(self.name)
        lab.env["MELTANO_DATABASE_URI"] = self.uri

    def psql(self, sql: str) -> str:
        return self.server.psql(sql, self.name).strip()

    def state(self) -> dict | None:
        if not self.psql("SELECT 1 FROM pg_tables WHERE tablename = 'state'"):
            return None
        text = self.psql(f"SELECT completed_state FROM state WHERE state_id = '{STATE_ID}'")
        return json.loads(text)["singer_state"] if text else None

    def row_states(self) -> list[str]:
        return self.psql("SELECT state FROM runs ORDER BY id").splitlines()

    def heartbeat(self) -> str:
        return self.psql("SELECT last_heartbeat_at FROM runs ORDER BY id DESC LIMIT 1")


@pytest.fixture
def database(lab, server):
    return DatabaseLab(lab, server)


def at(number: int) -> dict:
    return {"bookmarks": {"users": {"id": number}}}


def set_run_settings(lab: Lab, **settings: int) -> None:
    file = lab.root / "meltano.yml"
    project = json.loads(file.read_text())
    project["annotations"] = {"meltshim": {"run": settings}}
    file.write_text(json.dumps(project))


def start_counting(lab: Lab, count: int, pause: float, *options: str, **target):
    """A run that confirms one state after each record; returns once the first was confirmed."""
    lab.prepare([["schema", "users"], ["counted", "users", count, 1, pause]], target)
    set_run_settings(lab, database_patience=1)
    process = lab.start("run", *options, "tap-a", "target-b")
    lab.wait_for(lambda: lab.output.exists() and lab.output.stat().st_size > 0)
    return process


def spool_files(lab: Lab) -> list:
    return sorted(lab.root.glob(".meltano/run/spool/*/*.json"))


def finish(process, timeout=60) -> tuple[dict, str]:
    stdout, stderr = process.communicate(timeout=timeout)
    return json.loads(stdout.decode().splitlines()[-1]), (stderr or b"").decode(errors="replace")


def signal_server(server: PostgresServer, number: int) -> None:
    """To the postmaster and its children, which have groups of their own."""
    parent = str(server.process.pid)
    children = subprocess.run(["pgrep", "-P", parent], capture_output=True, text=True).stdout
    for pid in [parent, *children.split()]:
        os.kill(int(pid), number)


def test_a_server_that_is_restarted_does_not_fail_the_run(database):
    lab = database.lab
    process = start_counting(lab, 80, 0.1)
    lab.wait_for(lambda: database.state() is not None)
    database.server.stop()
    lab.wait_for(lambda: spool_files(lab))
    (spool,) = spool_files(lab)
    assert spool.stat().st_mode & 0o777 == 0o600
    database.server.start()
    lab.wait_for(lambda: not spool_files(lab))
    assert process.poll() is None, "the run ended before the server was back"
    record, stderr = finish(process)
    assert process.returncode == 0, stderr
    assert database.state() == at(80)
    assert database.row_states() == ["SUCCESS"]
    assert record["status"] == "success"
    assert record["streams"][0]["records"] == 80
    assert f"kept in '{spool}'" in stderr
    assert "The system database can be written again" in stderr
    assert "loopback-only" not in stderr


def test_state_never_goes_back_while_sessions_are_cut(database):
    lab = database.lab
    process = start_counting(lab, 60, 0.1)
    lab.wait_for(lambda: database.state() is not None)
    seen = []
    while process.poll() is None:
        database.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'meltshim' AND datname = current_database()"
        )
        state = database.state()
        seen.append(state["bookmarks"]["users"]["id"] if state else 0)
        time.sleep(0.2)
    record, stderr = finish(process)
    assert process.returncode == 0, stderr
    assert seen == sorted(seen)
    assert database.state() == at(60)
    assert database.row_states() == ["SUCCESS"]
    assert not spool_files(lab)


def test_heartbeats_resume(database):
    lab = database.lab
    lab.prepare([["schema", "users"], ["counted", "users", 1, 1], ["sleep", 60]])
    process = lab.start("run", "tap-a", "target-b", stderr=open(lab.root / "stderr", "wb"))
    lab.wait_for(lambda: database.state() is not None)
    database.server.stop()
    lab.wait_for(lambda: b"The run goes on" in (lab.root / "stderr").read_bytes())
    database.server.start()
    before = database.heartbeat()
    lab.wait_for(lambda: database.heartbeat() > before)
    process.send_signal(signal.SIGTERM)
    finish(process)
    assert process.returncode == 18
    assert database.state() == at(1)


def test_what_cannot_be_written_by_the_end_is_committed_by_the_next_run(database):
    lab = database.lab
    process = start_counting(lab, 40, 0.1)
    lab.wait_for(lambda: database.state() is not None)
    database.server.stop()
    record, stderr = finish(process)
    assert process.returncode == 24, stderr
    assert record["exit_code"] == 24
    assert record["error"]["class"] == "spooled"
    (spool,) = spool_files(lab)
    assert record["blocks"][0]["state"]["spool_path"] == str(spool)
    assert f"meltshim state commit {spool}" in stderr
    kept = json.loads(spool.read_text())
    assert kept["end"]["record"]["blocks"][0]["state"]["spool_path"] == str(spool)
    assert kept["state"] == {"singer_state": at(40)}
    assert kept["end"]["state"] == "FAIL"
    assert kept["end"]["record"]["run_id"] == record["run_id"]

    database.server.start()
    result = lab.load(steps=[["schema", "users"], ["counted", "users", 2, 1]])
    assert result.status == 0, result.stderr
    assert "is committed to" in result.stderr
    assert result.stream("users")["bookmark_before"] == {"id": 40}
    assert database.state() == at(42)
    assert database.row_states() == ["FAIL", "SUCCESS"]
    assert "had died" not in result.stderr
    assert not spool_files(lab)
    stored = json.loads(
        database.psql(f"SELECT record FROM meltshim_runs WHERE run_id = '{record['run_id']}'")
    )
    assert stored["exit_code"] == 24


def test_a_signal_while_the_server_is_away_spools_and_ends_in_time(database):
    lab = database.lab
    process = start_counting(lab, 1000, 0.1)
    lab.wait_for(lambda: database.state() is not None)
    database.server.stop()
    lab.wait_for(lambda: spool_files(lab))
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    record, stderr = finish(process)
    assert time.monotonic() - started < 5
    assert process.returncode == 18
    (spool,) = spool_files(lab)
    # The tap may have been ended between a record and its state.
    loaded = lab.loaded()[-1]
    kept = json.loads(spool.read_text())["state"]["singer_state"]
    assert kept in (at(loaded), at(loaded - 1))
    assert f"meltshim state commit {spool}" in stderr


@needs_root
def test_a_signal_while_neither_the_server_nor_the_spool_takes_anything_ends_in_time(
    database, small_disk
):
    lab = database.lab
    process = start_counting(lab, 1000, 0.1)
    (lab.root / ".meltano" / "run" / "spool").symlink_to(small_disk)
    lab.wait_for(lambda: database.state() is not None)
    saved = database.state()
    fill(small_disk)
    database.server.stop()
    confirmed = len(lab.confirmations())
    lab.wait_for(lambda: len(lab.confirmations()) > confirmed + 15)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, stderr = finish(process)
    assert time.monotonic() - started < 5.5
    assert process.returncode == 18
    assert "nor kept in a file" in stderr
    assert "could not be saved and is loaded again" in stderr
    database.server.start()
    assert database.state()["bookmarks"]["users"]["id"] >= saved["bookmarks"]["users"]["id"]


def test_a_server_that_answers_nothing_holds_nothing_up(database):
    """Stopped, not gone: the kernel keeps its connections, and nobody reads them."""
    lab = database.lab
    process = start_counting(lab, 1000, 0.1)
    lab.wait_for(lambda: database.state() is not None)
    signal_server(database.server, signal.SIGSTOP)
    try:
        size = lab.output.stat().st_size
        lab.wait_for(lambda: lab.output.stat().st_size > size + 1000)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        record, stderr = finish(process)
        assert time.monotonic() - started < 5
        assert process.returncode == 18
        assert len(spool_files(lab)) == 1
    finally:
        signal_server(database.server, signal.SIGCONT)
    result = lab.load(steps=[["schema", "users"], ["counted", "users", 1, 1]])
    assert result.status == 0, result.stderr
    assert database.state() == at(lab.loaded()[-1])
    assert not spool_files(lab)


def test_a_discovery_that_fails_while_the_server_is_away_is_recorded_later(database, check_record):
    lab = database.lab
    begun = lab.root / "begun"
    go_on = lab.root / "go-on"
    steps = [["touch", str(begun)], ["until", "users", str(go_on), 0.05], ["exit", 1]]
    lab.prepare(discovery=steps)
    set_run_settings(lab, database_patience=1)
    process = lab.start("run", "tap-a", "target-b")
    lab.wait_for(begun.exists)
    database.server.stop()
    go_on.touch()
    stdout, stderr = process.communicate(timeout=60)
    record = check_record(stdout.decode().splitlines()[-1])
    assert process.returncode == 10, stderr.decode()
    assert record["error"]["class"] == "tap"
    (spool,) = spool_files(lab)
    assert record["blocks"][0]["state"]["spool_path"] == str(spool)
    database.server.start()
    assert lab.run("state", "commit").status == 0
    assert database.row_states() == ["FAIL"]
    assert not spool_files(lab)


def test_a_server_that_answers_nothing_by_the_end_is_not_waited_for_beyond_the_patience(database):
    lab = database.lab
    process = start_counting(lab, 20, 0.1)
    lab.wait_for(lambda: database.state() is not None)
    signal_server(database.server, signal.SIGSTOP)
    try:
        lab.wait_for(lambda: lab.loaded()[-1] == 20)
        started = time.monotonic()
        record, stderr = finish(process)
        assert time.monotonic() - started < 15
    finally:
        signal_server(database.server, signal.SIGCONT)
    assert process.returncode == 24, stderr
    assert kept_state(lab) == at(20)


def test_a_signal_while_the_end_is_written_to_a_silent_server_is_obeyed(database):
    lab = database.lab
    lab.prepare([["schema", "users"], ["counted", "users", 3, 1]], {"drain": 3})
    set_run_settings(lab, database_patience=30)
    process = lab.start("run", "tap-a", "target-b")
    lab.wait_for(lambda: bookmark(database) == 3)
    signal_server(database.server, signal.SIGSTOP)
    try:
        lab.wait_for(lambda: not lab.plugin_pids("target"))
        started = time.monotonic()
        process.terminate()
        record, stderr = finish(process)
        assert time.monotonic() - started < 5
    finally:
        signal_server(database.server, signal.SIGCONT)
    assert record["blocks"][0]["state"]["spool_path"], stderr
    assert lab.run("state", "commit").status == 0
    assert database.row_states() in (["SUCCESS"], ["FAIL"])


def test_merged_state_is_kept_whole(database):
    lab = database.lab
    steps = [["schema", "users"], ["counted", "users", 2, 1]]
    for number in range(20):
        steps += [["state", {"bookmarks": {f"s{number}": number}}], ["sleep", 0.2]]
    lab.prepare(steps)
    process = lab.start("run", "--state-strategy=merge", "tap-a", "target-b")
    lab.wait_for(lambda: "state" in database.psql("SELECT tablename FROM pg_tables"))
    lab.wait_for(lambda: database.psql("SELECT count(*) FROM state") == "1")
    database.server.stop()
    lab.wait_for(lambda: spool_files(lab))
    database.server.start()
    finish(process)
    assert process.returncode == 0
    partial = json.loads(database.psql("SELECT partial_state FROM state"))["singer_state"]
    assert partial["bookmarks"] == {"users": {"id": 2}, **{f"s{n}": n for n in range(20)}}


def spool_a_state(database, count=20) -> dict:
    """A run that was ended while the server was away; the server is back."""
    lab = database.lab
    process = start_counting(lab, count, 0.1, drain=60)
    lab.wait_for(lambda: database.state() is not None)
    database.server.stop()
    lab.wait_for(lambda: len(lab.loaded()) == count)
    lab.wait_for(lambda: spool_files(lab) and str(at(count)) in str(kept_state(lab)))
    process.send_signal(signal.SIGTERM)
    record, _ = finish(process)
    database.server.start()
    return record


def kept_state(lab: Lab) -> dict:
    (spool,) = spool_files(lab)
    return json.loads(spool.read_text())["state"]["singer_state"]


def test_a_spooled_state_can_be_listed_and_committed_by_hand(database):
    lab = database.lab
    record = spool_a_state(database)
    (spool,) = spool_files(lab)
    (listed,) = json.loads(lab.run("state", "spooled", "--format=json").stdout)
    assert listed["file"] == str(spool)
    assert listed["state_id"] == STATE_ID
    assert listed["run_id"] == record["run_id"]
    result = lab.run("state", "commit", str(spool))
    assert result.status == 0, result.stderr
    assert database.state() == at(20)
    assert database.row_states() == ["FAIL"]
    assert not spool_files(lab)
    history = json.loads(lab.run("state", "history", STATE_ID, "--format=json").stdout)
    assert history[0]["source"] == "run, spooled"
    assert history[0]["run_id"] == record["run_id"]
    assert "Nothing is spooled" in lab.run("state", "commit").stderr


def test_a_spooled_state_never_goes_over_a_newer_one(database):
    lab = database.lab
    spool_a_state(database)
    newer = json.dumps({"singer_state": at(500)})
    assert lab.run("state", "set", "--force", STATE_ID, newer).status == 0
    result = lab.load(steps=[["schema", "users"], ["counted", "users", 1, 1]])
    assert result.status == 0, result.stderr
    assert "is left alone" in result.stderr
    assert database.state() == at(501)
    assert len(spool_files(lab)) == 1
    result = lab.run("state", "commit")
    assert result.status == 22
    assert "--force commits it nevertheless" in result.stderr
    assert lab.run("state", "commit", "--force").status == 0
    assert database.state() == at(20)
    assert not spool_files(lab)


def test_a_run_that_lost_its_lock_meanwhile_writes_nothing(database):
    lab = database.lab
    process = start_counting(lab, 1000, 0.05)
    lab.wait_for(lambda: database.state() is not None)
    database.server.stop()
    lab.wait_for(lambda: spool_files(lab))
    database.server.start()
    # What another host does that takes the lock now.
    database.psql(
        f"UPDATE meltshim_locks SET generation = generation + 1 WHERE state_id = '{STATE_ID}'"
    )
    frozen = database.state()
    record, stderr = finish(process)
    assert process.returncode == 23, stderr
    assert database.state() == frozen
    assert not spool_files(lab)


@pytest.fixture
def small_database(lab):
    """Of a server with a disk of its own, where it makes no room for its log in advance."""
    server = PostgresServer({"shared_buffers": "8MB", "wal_recycle": "off"})
    mount = ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", server._dir]
    subprocess.run(mount, check=True)
    try:
        with server:
            yield DatabaseLab(lab, server)
    finally:
        subprocess.run(["umount", "-l", server._dir], check=True)
        server._dir.rmdir()


def start_with_large_states(lab: Lab, count: int, patience: int):
    """A run whose states take room in the tables: 200 kB each, which cannot be made smaller."""
    steps = [["schema", "users"]]
    for number in range(1, count + 1):
        file = lab.root / f"state-{number}"
        value = {**at(number), "ballast": os.urandom(100_000).hex()}
        file.write_text(json.dumps({"type": "STATE", "value": value}) + "\n")
        steps += [["record", "users"], ["file", str(file)], ["sleep", 0.1]]
    lab.prepare(steps)
    set_run_settings(lab, database_patience=patience)
    return lab.start("run", "tap-a", "target-b")


def bookmark(database: DatabaseLab) -> int:
    state = database.state()
    return state["bookmarks"]["users"]["id"] if state else 0


@needs_root
@pytest.mark.parametrize("what", ["tables", "log"])
def test_a_servers_disk_that_is_full_for_a_while_does_not_fail_the_run(small_database, what):
    """When there is no room for its log the server crashes, and cannot recover either."""
    database, lab = small_database, small_database.lab
    server = database.server
    process = start_with_large_states(lab, 30, patience=60)
    lab.wait_for(lambda: bookmark(database) > 0)
    fill(server._dir)
    if what == "log":
        with contextlib.suppress(RuntimeError):
            database.psql("SELECT pg_switch_wal(); CREATE TABLE ballast AS SELECT 1")
            database.psql("SELECT pg_switch_wal(); CREATE TABLE more AS SELECT 1")
        server.process.wait(20)
    lab.wait_for(lambda: spool_files(lab))
    (server._dir / "ballast").unlink()
    if what == "log":
        server.start()
    lab.wait_for(lambda: not spool_files(lab))
    _, stderr = finish(process)
    assert process.returncode == 0, stderr
    assert "The run goes on" in stderr
    assert bookmark(database) == 30
    assert database.row_states() == ["SUCCESS"]


@needs_root
def test_a_servers_disk_that_stays_full_keeps_the_state_for_the_next_run(small_database):
    database, lab = small_database, small_database.lab
    process = start_with_large_states(lab, 30, patience=1)
    lab.wait_for(lambda: bookmark(database) > 0)
    fill(database.server._dir)
    record, stderr = finish(process)
    (database.server._dir / "ballast").unlink()
    assert process.returncode == 24, stderr
    assert "No space left on device" in record["error"]["message"]
    before = bookmark(database)
    assert 0 < before < 30
    result = lab.load(steps=[["schema", "users"], ["counted", "users", 1, 1]])
    assert result.status == 0, result.stderr
    assert result.stream("users")["bookmark_before"] == {"id": 30}
    assert database.state() == at(31)
    assert database.row_states() == ["FAIL", "SUCCESS"]


def test_what_was_saved_survives_a_crash_of_the_server(lab):
    """All of its memory is lost. What it did not have to write for us it writes after minutes."""
    with PostgresServer({"wal_writer_delay": "10s", "checkpoint_timeout": "1h"}) as server:
        database = DatabaseLab(lab, server)
        process = start_counting(lab, 40, 0.1)
        lab.wait_for(lambda: bookmark(database) > 1)
        process.send_signal(signal.SIGSTOP)
        seen = bookmark(database)
        signal_server(server, signal.SIGKILL)
        server.process.wait()
        server.start()
        assert bookmark(database) >= seen
        process.send_signal(signal.SIGCONT)
        _, stderr = finish(process)
        assert process.returncode == 0, stderr
        assert database.state() == at(40)


@needs_root
def test_a_disk_that_is_full_for_a_while_does_not_fail_the_run(lab, small_disk):
    file = small_disk / "meltano.db"
    lab.env["MELTANO_DATABASE_URI"] = f"sqlite:///{file}"

    def state():
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
            rows = database.execute("SELECT completed_state FROM state").fetchall()
        return json.loads(rows[0][0])["singer_state"] if rows else None

    process = start_counting(lab, 60, 0.1)
    lab.wait_for(state)
    fill(small_disk)
    lab.wait_for(lambda: spool_files(lab))
    (small_disk / "ballast").unlink()
    lab.wait_for(lambda: not spool_files(lab))
    _, stderr = finish(process)
    assert process.returncode == 0, stderr
    assert "is full" in stderr
    assert state() == at(60)


def test_runs_forget_versions_beyond_the_number_that_the_project_keeps(lab):
    lab.prepare([["schema", "users"], ["counted", "users", 1, 1]])
    set_run_settings(lab, state_versions=3)
    for _ in range(6):
        assert lab.run("run", "tap-a", "target-b").status == 0
    history = json.loads(lab.run("state", "history", STATE_ID, "--format=json").stdout)
    assert history[0]["version"] == 6
    assert 3 <= len(history) <= 4
