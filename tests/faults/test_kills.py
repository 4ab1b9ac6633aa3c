"""kill -9 at random moments of a run: nothing survives, nothing is lost, the next run starts."""

import contextlib
import os
import random
import signal
import statistics
import time

import pytest

from lab import read_record

ENDLESS = [["schema", "users"], ["counted", "users", 10**9, 1, 0.002]]
ONE = [["schema", "users"], ["counted", "users", 1, 1]]
LATE_KILL_S = 0.5


class Kills:
    """Kills runs and adds up what came of it; a count that should be zero ends the test."""

    def __init__(self, lab, check_record):
        self.lab = lab
        self.check_record = check_record
        self.kills = self.survivors = self.lost = self.ahead = 0
        self.delays = []

    def kill(self, after_s: float) -> None:
        """Kills a run, starts the next one at once, and looks at what both left."""
        lab = self.lab
        lab.prepare(ENDLESS)
        process = lab.start("run", "tap-a", "target-b")
        time.sleep(after_s)
        committed = lab.committed() if self.kills else 0
        lab.prepare(ONE)
        process.kill()
        killed_at = time.time()
        _, stderr = process.communicate()
        self.kills += 1
        following = lab.run("run", "tap-a", "target-b")
        assert following.status == 0, following.stderr
        self.delays.append(lab.last_begin() - killed_at)
        self.check(committed, stderr.decode(), following)

    def check(self, committed: int, stderr: str, following) -> None:
        lab = self.lab
        self.survivors += lab.count_survivors()
        bookmark = following.stream("users")["bookmark_before"]
        found = bookmark["id"] if bookmark else 0
        self.lost += found < committed or self.forgotten_versions(stderr)
        self.ahead += found != 0 and found not in lab.confirmations()
        assert (self.survivors, self.lost, self.ahead) == (0, 0, 0)
        assert lab.committed() == found + 1
        assert set(lab.row_states()) <= {"FAIL", "SUCCESS"}
        lab.check_wholeness()
        self.check_record(following.stdout.splitlines()[-1])

    def forgotten_versions(self, stderr: str) -> bool:
        """Whether the ledger has less than the dead run had reported as saved."""
        runs = self.lab.query("SELECT run_id FROM runs ORDER BY id DESC LIMIT 2")
        if len(runs) < 2:
            return False
        ((kept,),) = self.lab.query(
            f"SELECT COUNT(*) FROM meltshim_state_history WHERE run_id = '{runs[1][0]}'"
        )
        return kept < stderr.count("Incremental state has been updated")

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.survivors} survivors, {self.lost} states lost, "
            f"{self.ahead} states ahead; the next run began after "
            f"{1000 * statistics.median(self.delays):.0f} ms (median), "
            f"{1000 * max(self.delays):.0f} ms (longest)"
        )


def test_random_kills_lose_nothing_and_block_nobody(any_lab, soak, check_record, tell, request):
    kills = Kills(any_lab, check_record)
    chance = random.Random(20260101)
    for _ in range(200 if soak else 40):
        kills.kill(chance.uniform(0, LATE_KILL_S))
    tell(f"{request.node.callspec.id}: {kills}")
    # A loaded machine makes some of them slow, a fault all.
    assert min(kills.delays) < 0.1


def test_a_kill_of_everything_at_once_loses_nothing(any_lab, check_record):
    """As when a container is removed: neither guards nor plugins get to do anything."""
    lab = any_lab
    chance = random.Random(7)
    for _ in range(5):
        lab.prepare(ENDLESS)
        process = lab.start("run", "tap-a", "target-b")
        lab.wait_for(lambda: lab.plugin_pids("target"))
        time.sleep(chance.uniform(0, 0.2))
        lab.prepare(ONE)
        for pid in [process.pid, *lab.survivors()]:
            kill(pid)
        process.communicate()
        following = lab.run("run", "tap-a", "target-b")
        assert following.status == 0, following.stderr
        assert lab.committed() == lab.confirmations()[-1]
        lab.check_wholeness()


@pytest.mark.parametrize(
    "victim, status, role", [("tap", 10, "tap"), ("mapper", 11, "mapper"), ("target", 12, "target")]
)
def test_random_kills_of_a_plugin_are_named(lab, soak, victim, status, role):
    chance = random.Random(victim)
    lab.prepare(ENDLESS, mapper={})
    for _ in range(30 if soak else 5):
        process = lab.start("run", "tap-a", "pass", "target-b")
        lab.wait_for(lambda: lab.plugin_pids(victim))
        time.sleep(chance.uniform(0, 0.2))
        for pid in lab.plugin_pids(victim):
            kill(pid)
        stdout, _ = process.communicate(timeout=30)
        assert process.returncode == status
        assert not lab.survivors()
        record = read_record(stdout)
        culprits = [p for p in record["processes"] if p["culprit"]]
        assert [(p["role"], p["signal"]) for p in culprits] == [(role, 9)]
        assert not lab.confirmations() or lab.committed() == lab.confirmations()[-1]


def kill(pid) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
