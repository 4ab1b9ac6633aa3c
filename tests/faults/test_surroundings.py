"""What the run stands on fails: files, disks, the database."""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest

from lab import fill, needs_root

THREE = [["schema", "users"], ["counted", "users", 3, 1]]
AT_THREE = {"bookmarks": {"users": {"id": 3}}}


@needs_root
def test_a_full_disk_for_the_log_does_not_stop_the_run(lab, small_disk):
    (lab.root / ".meltano").mkdir()
    (lab.root / ".meltano" / "logs").symlink_to(small_disk)
    result = lab.load(steps=[["long-error", 8_000_000], *THREE])
    assert result.status == 0
    assert lab.state() == AT_THREE


@needs_root
def test_a_full_disk_for_the_database_fails_the_run_and_loses_nothing(lab, small_disk):
    (lab.root / ".meltano").mkdir()
    uri = f"sqlite:///{small_disk}/meltano.db"
    assert lab.load(steps=THREE, env={"MELTANO_DATABASE_URI": uri}).status == 0
    fill(small_disk)
    result = lab.load(steps=THREE, env={"MELTANO_DATABASE_URI": uri})
    assert result.status in (20, 22)
    assert "disk" in result.stderr
    (small_disk / "ballast").unlink()
    with sqlite3.connect(small_disk / "meltano.db") as database:
        ((state,),) = database.execute("SELECT completed_state FROM state").fetchall()
    assert state == '{"singer_state": {"bookmarks": {"users": {"id": 3}}}}'
    assert lab.load(steps=THREE, env={"MELTANO_DATABASE_URI": uri}).status == 0


@needs_root
def test_a_full_disk_for_the_run_directory_is_said(lab, small_disk):
    (lab.root / ".meltano").mkdir()
    (lab.root / ".meltano" / "run").symlink_to(small_disk)
    fill(small_disk)
    result = lab.load(steps=THREE)
    assert result.status != 0
    assert "No space left on device" in result.stderr


def test_a_corrupt_database_is_said_with_its_path(lab):
    lab.load(steps=THREE)
    database = lab.root / ".meltano" / "meltano.db"
    for journal in lab.root.glob(".meltano/meltano.db-*"):
        journal.unlink()
    database.write_bytes(b"this is no database at all" * 1000)
    result = lab.load(steps=THREE)
    assert result.status == 20
    assert str(database) in result.stderr
    assert result.record["status"] == "failed"
    assert database.read_bytes().startswith(b"this is no database")


def test_a_database_that_is_locked_for_a_while_is_waited_for(lab):
    lab.load(steps=THREE)
    database = sqlite3.connect(
        lab.root / ".meltano" / "meltano.db", isolation_level=None, check_same_thread=False
    )
    database.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(2, lambda: database.execute("ROLLBACK"))
    timer.start()
    result = lab.load(steps=THREE)
    timer.join()
    database.close()
    assert result.status == 0
    assert result.seconds >= 2


def test_a_database_locked_in_the_middle_of_a_run_does_not_fail_it(lab):
    lab.prepare([["schema", "users"], ["counted", "users", 30, 1, 0.1]])
    process = lab.start("run", "tap-a", "target-b")
    lab.wait_for(lambda: lab.output.exists() and lab.output.stat().st_size > 0)
    database = sqlite3.connect(lab.root / ".meltano" / "meltano.db", isolation_level=None)
    database.execute("PRAGMA busy_timeout = 10000")
    database.execute("BEGIN IMMEDIATE")
    time.sleep(6)
    database.execute("ROLLBACK")
    database.close()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert lab.state() == {"bookmarks": {"users": {"id": 30}}}


def as_nobody(lab, *arguments):
    """Root may write everywhere, so the command runs as nobody."""
    command = [str(lab.meltshim), *arguments]
    if os.geteuid() == 0:
        setpriv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        command = [*setpriv, *command]
    return subprocess.run(
        command, cwd=lab.root, env=lab.env, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def public_lab(lab, tmp_path):
    """nobody can read it, and the program."""
    if os.geteuid() == 0:
        program = tmp_path / "bin" / "meltshim"
        program.parent.mkdir()
        shutil.copy(lab.meltshim, program)
        for module in lab.meltshim.parent.glob("meltshim-*.so"):
            shutil.copy(module, program.parent)
        lab.meltshim = program
        folder = tmp_path
        while folder != folder.parent and not folder.stat().st_mode & 0o005 == 0o005:
            folder.chmod(folder.stat().st_mode | 0o005)
            folder = folder.parent
    return lab


def test_a_system_directory_that_cannot_be_written_is_said(public_lab):
    public_lab.prepare(THREE)
    (public_lab.root / ".meltano").mkdir(mode=0o555)
    result = as_nobody(public_lab, "run", "tap-a", "target-b")
    assert result.returncode != 0
    assert ".meltano" in result.stderr
    assert "Permission denied" in result.stderr


def test_an_unreadable_project_file_is_said(public_lab):
    public_lab.prepare(THREE)
    (public_lab.root / "meltano.yml").chmod(0o000)
    result = as_nobody(public_lab, "run", "tap-a", "target-b")
    assert result.returncode == 1
    assert "meltano.yml" in result.stderr
    assert "Permission denied" in result.stderr


def test_logs_may_be_linked_elsewhere(lab, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("logs")
    (lab.root / ".meltano").mkdir()
    (lab.root / ".meltano" / "logs").symlink_to(elsewhere)
    result = lab.load(steps=[["stderr", "hello"], *THREE])
    assert result.status == 0
    (log,) = elsewhere.glob("elt/*/*/elt.log")
    assert "hello" in log.read_text()
    assert (log.parent / "run.json").read_text().strip() == result.stdout.splitlines()[-1]


def limit(what, value):
    return lambda: resource.setrlimit(what, (value, value))


def test_a_limit_on_the_size_of_files_is_an_error_not_a_death(lab):
    lab.prepare([["long-error", 100_000], *THREE])
    small = limit(resource.RLIMIT_FSIZE, 50_000)
    process = lab.start("run", "tap-a", "target-b", preexec_fn=small)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode > 0 and process.returncode < 124
    assert "disk I/O error" in stderr.decode()
    assert '"status":"failed"' in stdout.decode()


@pytest.mark.parametrize("count", range(6, 40, 2))
def test_too_few_descriptors_are_said(lab, count):
    lab.prepare(THREE)
    process = lab.start("run", "tap-a", "target-b", preexec_fn=limit(resource.RLIMIT_NOFILE, count))
    _, stderr = process.communicate(timeout=60)
    assert process.returncode in (0, 1, 12, 10, 14, 20, 22)
    if process.returncode:
        assert "Too many open files" in stderr.decode()


@pytest.mark.parametrize("name", ["meltano.yml", ".env"])
def test_a_named_pipe_in_place_of_a_file_is_refused_at_once(lab, name):
    path = lab.root / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    result = lab.run("run", "tap-a", "target-b", timeout=20)
    assert result.status == 1
    assert f"{path}: it is a named pipe" in result.stderr


def test_a_system_directory_that_leads_nowhere_is_said(lab, tmp_path):
    lab.prepare(THREE)
    (lab.root / ".meltano").symlink_to(tmp_path / "nowhere")
    result = lab.run("run", "tap-a", "target-b")
    assert result.status == 1
    assert f".meltano is a link to {tmp_path}/nowhere, which is not there" in result.stderr


def test_a_state_id_longer_than_a_file_name_works(lab):
    """At both lengths the names of files and directories must differ."""
    lab.prepare(THREE)
    state_ids = ["x" * 299 + letter for letter in "ab"]
    for state_id in state_ids:
        result = lab.run("el", f"--state-id={state_id}", "tap-a", "target-b")
        assert result.status == 0, result.stderr
        assert lab.state(state_id) == AT_THREE
        shown = lab.run("logs", "show", result.record["run_id"])
        assert "Loaded 3 records" in shown.stdout, shown.stderr
    assert len(list((lab.root / ".meltano" / "logs" / "elt").iterdir())) == 2


def test_a_name_with_a_line_feed_does_not_forge_a_log_line(lab):
    forged = "2026-01-01T00:00:00.000000Z [info     ] meltano      all is well"
    result = lab.run("run", f"tap-a\n{forged}", "target-b")
    assert result.status == 1
    assert forged in result.stderr
    assert not [line for line in result.stderr.splitlines() if line.startswith(forged)]


@pytest.mark.parametrize("path", [None, ""], ids=["unset", "empty"])
def test_without_a_path_plugins_are_found_by_theirs(lab, path):
    lab.prepare(THREE)
    del lab.env["PATH"]
    result = lab.run("run", "tap-a", "target-b", env={} if path is None else {"PATH": path})
    assert result.status == 0, result.stderr


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_not_taken_for_files(lab, closed):
    """A file that is opened as descriptor 1 would get the record, the database among them."""
    lab.prepare(THREE)
    script = f'exec "$0" run tap-a target-b {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", script, lab.meltshim], cwd=lab.root, env=lab.env, timeout=60, check=False
    )
    assert done.returncode == 0
    assert lab.state() == AT_THREE
    lab.check_wholeness()


@needs_root
def test_a_read_only_file_system_is_said_and_can_be_read(lab):
    assert lab.load(steps=THREE).status == 0
    folder = lab.root / ".meltano"
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        result = lab.run("run", "tap-a", "target-b")
        listed = lab.run("state", "list")
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
    assert result.status == 1
    assert "Read-only file system" in result.stderr
    assert (listed.status, listed.stdout.strip()) == (0, "dev:tap-a-to-target-b")
    assert lab.loaded() == [1, 2, 3]


def test_a_long_project_file_is_no_obstacle(lab):
    """300,000 lines, as a generator of projects may write them."""
    lab.prepare(THREE)
    project = json.loads((lab.root / "meltano.yml").read_text())
    project["annotations"] = {"generated": {f"key{i}": i for i in range(300_000)}}
    (lab.root / "meltano.yml").write_text(json.dumps(project, indent=1))
    result = lab.run("run", "tap-a", "target-b")
    assert result.status == 0, result.stderr
    assert lab.run("config", "set", "tap-a", "more", "1").status == 0
    assert json.loads(lab.run("config", "print", "tap-a").stdout)["more"] == "1"


def test_a_record_that_cannot_be_printed_is_still_kept(lab):
    lab.prepare(THREE)
    with open("/dev/full", "wb") as full:
        process = lab.start("run", "tap-a", "target-b", stdout=full)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "The run record could not be printed: No space left on device" in stderr.decode()
    assert '"status": "success"' in lab.run("runs", "show").stdout
