"""kill -9 at random moments of a run: nothing survives, nothing is lost, the next run starts."""

import os
import random
import time

import pytest

# `make soak` asks for more.
KILLS = int(os.environ.get("MELTSHIM_KILLS", 30))


def confirmed(lab) -> int:
    state = lab.state() if lab.query("SELECT name FROM sqlite_master WHERE name = 'state'") else None
    return state["bookmarks"]["users"]["id"] if state else 0


def kill_at_random(lab, chance) -> None:
    process = lab.start("run", "tap-a", "target-b")
    time.sleep(chance.uniform(0, 0.5))
    process.kill()
    process.communicate()
    lab.wait_until_gone()


def test_random_kills_lose_nothing(lab, capsys):
    chance = random.Random(20260101)
    lab.prepare([["schema", "users"], ["counted", "users", 10**9, 1, 0.002]])
    before = 0
    for _ in range(KILLS):
        kill_at_random(lab, chance)
        if not (lab.root / ".meltano" / "meltano.db").exists():
            continue
        after = confirmed(lab)
        loaded = lab.loaded() if lab.output.exists() else []
        assert after >= before, "state went back"
        assert after == 0 or after in loaded, "state ran ahead of what was loaded"
        before = after

    lab.prepare([["schema", "users"], ["counted", "users", 1, 1]])
    started = time.monotonic()
    result = lab.run("run", "tap-a", "target-b")
    seconds = time.monotonic() - started
    assert result.status == 0
    assert confirmed(lab) == before + 1
    assert set(lab.row_states()) <= {"FAIL", "SUCCESS"}
    with capsys.disabled():
        print(f"{KILLS} kills, 0 survivors, 0 states lost, 0 states ahead")
        print(f"{seconds:.2f} s from the last kill to the end of the next run")


@pytest.mark.parametrize("victim", ["tap", "target"])
def test_random_kills_of_a_plugin_are_named(lab, victim):
    chance = random.Random(victim)
    lab.prepare([["schema", "users"], ["counted", "users", 10**9, 1, 0.002]])
    for _ in range(5):
        process = lab.start("run", "tap-a", "target-b")
        lab.wait_for(lambda: lab.plugin_pids(victim))
        time.sleep(chance.uniform(0, 0.2))
        for pid in lab.plugin_pids(victim):
            os.kill(pid, 9)
        process.communicate(timeout=30)
        assert process.returncode == {"tap": 10, "target": 12}[victim]
        assert not lab.survivors()
