"""A crash before and after each durable write, writes that fail, and the loss of all power."""

import errno
import random
import shutil
import time

import pytest

from lab import fill, needs_root

THREE = [["schema", "users"], ["counted", "users", 3, 1]]
ENDLESS = [["schema", "users"], ["counted", "users", 10**9, 1, 0.002]]
REPORTED = "Incremental state has been updated"


def durable_writes(lab, inject) -> list[str]:
    """What a run does, from an empty folder on."""
    trace = lab.root / "trace"
    trace.unlink(missing_ok=True)
    assert lab.load(steps=THREE, env=inject(trace=trace)).status == 0
    return trace.read_text().splitlines()


def begin_anew(lab) -> None:
    lab.drop_database()
    shutil.rmtree(lab.root / ".meltano", ignore_errors=True)
    for path in (lab.output, lab.confirmed):
        path.unlink(missing_ok=True)


def choose(writes: list[str], soak: bool) -> list[int]:
    """All of them, or all but a part of the many pages that are written between the syncs."""
    chance = random.Random(len(writes))
    return [
        number
        for number, write in enumerate(writes, 1)
        if soak or not write.startswith(("pwrite64", "send")) or chance.random() < 0.3
    ]


def check_next_run(lab, check_record) -> None:
    """Whatever is there is whole, and the next run goes on from it."""
    lab.wait_until_gone()
    confirmed = lab.confirmations()
    found = lab.committed()
    assert found in (0, *confirmed)
    following = lab.load(steps=THREE)
    assert following.status == 0, following.stderr
    bookmark = following.stream("users")["bookmark_before"]
    assert (bookmark["id"] if bookmark else 0) == found
    assert lab.committed() == found + 3
    assert set(lab.row_states()) <= {"FAIL", "SUCCESS"}
    lab.check_wholeness()
    check_record(following.stdout.splitlines()[-1])


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", ["before", "after"])
def test_a_crash_at_any_durable_write_leaves_a_whole_database(
    any_lab, inject, how, soak, check_record, tell, request
):
    lab = any_lab
    writes = durable_writes(lab, inject)
    assert any(write.startswith(("fdatasync", "send")) for write in writes)
    crashes = 0
    for number in choose(writes, soak):
        begin_anew(lab)
        result = lab.load(steps=THREE, env=inject(at=number, how=how))
        crashes += result.status == -9
        reported = result.stderr.count(REPORTED)
        if reported:
            assert lab.committed() >= lab.confirmations()[0]
        check_next_run(lab, check_record)
    # The writes of two runs differ by what the clock decides.
    assert crashes > len(choose(writes, soak)) / 2
    tell(
        f"{request.node.callspec.id}: {crashes} crashes at durable writes of {len(writes)}, "
        "0 survivors, 0 states lost, 0 states ahead"
    )


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_writes_that_fail_from_any_moment_on_fail_the_run(lab, inject, number, soak, check_record):
    """The disk breaks or fills: never a success without the state, never a state without its rows."""
    writes = durable_writes(lab, inject)
    failures = 0
    for at in choose(writes, soak):
        begin_anew(lab)
        result = lab.load(steps=THREE, env=inject(at=at, how=number))
        assert result.status in (0, 1, 20, 22), result.stderr
        if result.status == 0:
            assert lab.committed() == 3
        else:
            failures += 1
            assert "meltano.db" in result.stderr or "No space" in result.stderr, result.stderr
            record = check_record(result.stdout.splitlines()[-1])
            assert record["status"] == "failed"
        check_next_run(lab, check_record)
    assert failures


@pytest.fixture
def refusing_lab(postgres_lab):
    """Its statements go well; a deferred trigger makes every COMMIT of a state fail."""
    lab = postgres_lab
    assert lab.load(steps=THREE).status == 0
    lab.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no more states'; END $$;"
        "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON state DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    return lab


def test_a_commit_that_the_server_refuses_fails_the_run_and_loses_nothing(refusing_lab):
    lab = refusing_lab
    versions = lab.versions()
    result = lab.load(steps=THREE)
    assert result.status == 24
    assert "no more states" in result.stderr
    assert (lab.committed(), lab.versions()) == (3, versions)
    lab.execute("DROP TRIGGER refuse ON state")
    following = lab.load(steps=THREE)
    assert following.status == 0
    assert following.stream("users")["bookmark_before"] == {"id": 6}
    assert lab.committed() == 9
    lab.check_wholeness()


@needs_root
def test_without_room_for_the_spool_the_state_of_before_stays(refusing_lab, small_disk):
    lab = refusing_lab
    spool = lab.root / ".meltano" / "run" / "spool"
    spool.parent.mkdir(exist_ok=True)
    spool.symlink_to(small_disk)
    fill(small_disk)
    result = lab.load(steps=THREE)
    assert result.status in (20, 22)
    assert "No space left on device" in result.stderr
    assert "The next run loads again what was loaded" in result.stderr
    assert lab.committed() == 3
    lab.execute("DROP TRIGGER refuse ON state")
    following = lab.load(steps=THREE)
    assert following.status == 0, following.stderr
    assert lab.committed() == 6


def test_what_was_reported_as_saved_survives_a_power_failure(lab, inject, soak):
    """The database becomes what its files held at their last sync."""
    shadow = lab.root / "shadow"
    folder = lab.root / ".meltano"
    shadow.mkdir()
    chance = random.Random(3)
    assert lab.load(steps=THREE).status == 0
    for _ in range(30 if soak else 4):
        for path in shadow.iterdir():
            path.unlink()
        for path in folder.glob("meltano.db*"):
            shutil.copy(path, shadow)
        versions = lab.versions()
        lab.prepare(ENDLESS)
        process = lab.start("run", "tap-a", "target-b", env=inject(shadow=shadow))
        time.sleep(chance.uniform(0.3, 1.5))
        process.kill()
        _, stderr = process.communicate()
        lab.wait_until_gone()
        for path in folder.glob("meltano.db*"):
            path.unlink()
        for path in shadow.iterdir():
            shutil.copy(path, folder)
        assert lab.versions() >= versions + stderr.decode().count(REPORTED)
        assert lab.committed() in lab.confirmations()
        lab.check_wholeness()
    assert lab.load(steps=THREE).status == 0
