"""The time of day jumps while a run is under way."""

import pytest

DAY = 86400
SLOW = [["schema", "users"], ["counted", "users", 30, 1, 0.1]]
ONE = [["schema", "users"], ["counted", "users", 1, 1]]


@pytest.fixture
def clock(lab, inject):
    """Sets by how many seconds meltshim's clock is wrong."""
    path = lab.root / "clock"

    def set_clock(seconds):
        path.write_text(str(seconds))

    set_clock(0)
    lab.env.update(inject(clock=path))
    return set_clock


@pytest.mark.parametrize("jump", [-DAY, -2, 2, DAY, 400 * DAY])
def test_a_jump_in_the_middle_of_a_run_changes_nothing(lab, clock, check_record, jump):
    lab.prepare(SLOW)
    process = lab.start("run", "tap-a", "target-b")
    lab.wait_for(lambda: lab.has_tables() and lab.committed() > 0)
    clock(jump)
    other = lab.run("run", "tap-a", "target-b")
    assert other.status == 1, "a run that is alive was taken for dead"
    assert other.record["error"]["class"] == "locked"
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr.decode()
    assert lab.committed() == 30
    assert lab.row_states() == ["SUCCESS"]
    record = check_record(stdout.splitlines()[-1])
    assert 0 <= record["duration_ms"] < 20_000
    # Commits are a second apart, whatever the clock says.
    assert 2 <= record["blocks"][0]["state"]["checkpoints"] <= 6

    following = lab.load(steps=ONE)
    assert following.status == 0, following.stderr
    assert lab.committed() == 31
    ((first,), *_) = lab.query("SELECT version FROM meltshim_state_history ORDER BY version DESC")
    shown = lab.run("state", "history", "dev:tap-a-to-target-b")
    assert shown.status == 0 and str(first) in shown.stdout.split()[0:40]
    lab.check_wholeness()


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_jump_between_two_runs_does_not_keep_the_second_from_starting(lab, clock, jump):
    process_steps = [["schema", "users"], ["counted", "users", 10**9, 1, 0.01]]
    lab.prepare(process_steps)
    process = lab.start("run", "tap-a", "target-b")
    lab.wait_for(lambda: lab.has_tables() and lab.committed() > 0)
    process.kill()
    process.communicate()
    clock(jump)
    lab.wait_until_gone()
    following = lab.load(steps=ONE)
    assert following.status == 0, following.stderr
    assert lab.row_states() == ["FAIL", "SUCCESS"]
