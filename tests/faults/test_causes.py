"""Why each process ended, and that neither stopped processes nor killed guards hold a run up."""

import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lab import ENDLESS

THREE = [["schema", "users"], ["counted", "users", 3, 1]]


def causes(result, check_record) -> dict[str, tuple]:
    record = check_record(result.stdout.splitlines()[-1])
    return {
        process["plugin"]: (process["cause"], process["culprit"], process["consequence_of"])
        for process in record["processes"]
    }


FINISHED = ("finished", False, None)


@pytest.mark.parametrize(
    "steps, target, tap_end, target_end",
    [
        (THREE, {}, FINISHED, FINISHED),
        ([*THREE, ["exit", 3]], {}, ("failed", True, None), FINISHED),
        ([*THREE, ["signal", 11]], {}, ("crashed", True, None), FINISHED),
        ([*THREE, ["signal", 9]], {}, ("killed", True, None), FINISHED),
        (
            [*THREE, ["exit", 3]],
            {"end_code": 4},
            ("failed", True, None),
            ("failed", False, "tap-a"),
        ),
        (
            [["ignore-term"], *ENDLESS],
            {"exit_after": 6},
            ("broken_pipe", False, "target-b"),
            ("early_end", True, None),
        ),
        (
            [*THREE, ["sleep", 3600]],
            {"exit_after": 4, "exit_code": 4},
            ("stopped", False, "target-b"),
            ("failed", True, None),
        ),
    ],
    ids=["good", "tap", "crash", "kill", "both", "pipe", "stopped"],
)
def test_a_cause_is_told_from_its_consequences(
    lab, check_record, steps, target, tap_end, target_end
):
    result = lab.load(steps=steps, target=target)
    assert causes(result, check_record) == {"tap-a": tap_end, "target-b": target_end}


def test_a_plugin_that_cannot_be_started_is_the_culprit(lab, check_record):
    lab.prepare(THREE)
    tap = lab.root / "tap"
    tap.write_text("#!/no/such/interpreter\n")
    tap.chmod(0o755)
    project = json.loads((lab.root / "meltano.yml").read_text())
    project["plugins"]["extractors"][0]["executable"] = str(tap)
    (lab.root / "meltano.yml").write_text(json.dumps(project))
    result = lab.run("run", "tap-a", "target-b")
    assert result.status == 14
    assert causes(result, check_record) == {
        "tap-a": ("not_started", True, None),
        "target-b": ("stopped", False, "tap-a"),
    }


def test_what_the_processes_used_is_recorded(lab):
    result = lab.load(steps=THREE)
    tap = result.process("tap-a")
    assert tap["cpu_ms"] > 0 and tap["peak_memory_kib"] > 0
    assert tap["voluntary_switches"] + tap["involuntary_switches"] > 0
    assert tap["oom_kills"] == 0 and tap["major_faults"] >= 0


@pytest.fixture
def small_group():
    """A control group with 64 MiB of memory, version 1 or 2."""
    for root, limit, swap in (
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
        ("/sys/fs/cgroup", "memory.max", "memory.swap.max"),
    ):
        group = Path(root) / f"meltshim-faults-{os.getpid()}"
        try:
            group.mkdir()
            (group / limit).write_text(str(64 * 1024 * 1024))
        except OSError:
            if group.is_dir():
                group.rmdir()
            continue
        if (group / swap).exists():
            (group / swap).write_text("0" if swap == "memory.swap.max" else str(64 * 1024 * 1024))
        yield group
        deadline = time.monotonic() + 10
        while group.is_dir() and time.monotonic() < deadline:
            try:
                group.rmdir()
            except OSError:
                time.sleep(0.05)
        return
    pytest.skip("no right to make a control group")


@pytest.mark.parametrize(
    "by_child, cause, hint",
    [
        (False, "out_of_memory", "It ran out of memory"),
        (True, "failed", "the kernel killed 1 processes for want of memory"),
    ],
    ids=["itself", "child"],
)
def test_the_kernels_want_of_memory_is_named(lab, small_group, check_record, by_child, cause, hint):
    lab.prepare([*THREE, ["eat-memory", by_child]])
    process = lab.start(
        "run",
        "tap-a",
        "target-b",
        preexec_fn=lambda: (small_group / "cgroup.procs").write_text("0"),
    )
    stdout, _ = process.communicate(timeout=60)
    record = check_record(stdout.splitlines()[-1])
    tap = record["processes"][0]
    assert record["exit_code"] == 10
    assert (tap["cause"], tap["culprit"], tap["out_of_memory"]) == (cause, True, not by_child)
    assert tap["oom_kills"] == 1
    assert hint in record["error"]["hint"]
    assert lab.state() == {"bookmarks": {"users": {"id": 3}}}


# --- stopped processes and killed guards ----------------------------------------------------------


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def start_and_find(lab, plugin: str, *options, steps=ENDLESS) -> tuple[subprocess.Popen, int]:
    """A run whose target has confirmed state, and the process of one of its plugins."""
    lab.prepare(steps)
    process = lab.start("run", *options, "tap-a", "target-b")
    lab.wait_for(lambda: lab.output.exists() and lab.output.stat().st_size > 0)
    lab.wait_for(lambda: lab.plugin_pids(plugin))
    return process, lab.plugin_pids(plugin)[0]


def end_of(process: subprocess.Popen) -> dict:
    stdout, _ = process.communicate(timeout=30)
    return json.loads(stdout.splitlines()[-1])


@pytest.mark.parametrize("plugin", ["tap", "target"])
def test_a_stopped_plugin_ends_within_the_grace(lab, plugin):
    process, pid = start_and_find(lab, plugin)
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    process.terminate()
    record = end_of(process)
    assert time.monotonic() - started < 5
    assert record["exit_code"] == 18
    assert not lab.survivors()


@pytest.mark.parametrize("plugin", ["tap", "target"])
def test_a_stopped_plugin_does_not_outlive_the_time_limit(lab, plugin):
    process, pid = start_and_find(lab, plugin, "--timeout", "2")
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    record = end_of(process)
    assert time.monotonic() - started < 7
    assert record["exit_code"] == 15
    assert not lab.survivors()


def test_a_stopped_guard_does_not_hold_the_end_up(lab):
    process, pid = start_and_find(lab, "tap")
    os.kill(parent_of(pid), signal.SIGSTOP)
    started = time.monotonic()
    process.terminate()
    assert end_of(process)["exit_code"] == 18
    assert time.monotonic() - started < 5
    assert not lab.survivors()


@pytest.mark.parametrize(
    "steps",
    [ENDLESS, [["ignore-term"], ["daemon", 3600], *ENDLESS]],
    ids=["polite", "deaf"],
)
def test_killing_a_guard_ends_its_plugin_and_fails_the_run(lab, check_record, steps):
    process, pid = start_and_find(lab, "tap", steps=steps)
    os.kill(parent_of(pid), signal.SIGKILL)
    stdout, _ = process.communicate(timeout=30)
    record = check_record(stdout.splitlines()[-1])
    assert record["exit_code"] == 10
    assert record["processes"][0]["cause"] == "killed"
    assert not lab.survivors()


@pytest.mark.parametrize("order", ["guard first", "meltshim first"])
def test_killing_a_guard_and_meltshim_leaves_no_plugin(lab, order):
    process, pid = start_and_find(lab, "tap", steps=[["ignore-term"], *ENDLESS])
    victims = [parent_of(pid), process.pid]
    for victim in victims if order == "guard first" else reversed(victims):
        os.kill(victim, signal.SIGKILL)
    process.communicate(timeout=30)
    lab.wait_until_gone()


def test_no_zombies_are_kept_while_a_run_goes_on(lab):
    steps = [["orphans", 20], ["touch", str(lab.root / "made")], *ENDLESS]
    process, _ = start_and_find(lab, "tap", steps=steps)

    def zombies() -> list[str]:
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] == "Z" and int(fields[1]) in family:
                found.append(stat.parent.name)
        return found

    family = {process.pid, *map(parent_of, lab.plugin_pids("tap") + lab.plugin_pids("target"))}
    lab.wait_for(lambda: (lab.root / "made").exists())
    lab.wait_for(lambda: not zombies())
    process.terminate()
    end_of(process)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@needs_root
@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_without_proc_a_run_is_complete_and_nothing_survives(lab, end):
    lab.prepare([["ignore-term"], ["daemon", 3600], *ENDLESS])
    script = 'mount --make-rprivate / && mount -t tmpfs none /proc && exec "$0" run tap-a target-b'
    process = subprocess.Popen(
        ["unshare", "--mount", "/bin/sh", "-c", script, lab.meltshim],
        cwd=lab.root,
        env=lab.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    lab.wait_for(lambda: lab.output.exists() and lab.output.stat().st_size > 0)
    getattr(process, end)()
    stdout, _ = process.communicate(timeout=30)
    lab.wait_until_gone()
    if end == "terminate":
        assert json.loads(stdout.splitlines()[-1])["exit_code"] == 18


# --- what a plugin inherits -----------------------------------------------------------------------


def test_a_plugin_gets_no_descriptors_and_no_limits_of_ours(lab):
    seen = lab.root / "inherited.json"
    lab.prepare([["inherited", str(seen)], *THREE])
    stray = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(stray, True)
    limits = {
        resource.RLIMIT_NOFILE: (200, 300),
        resource.RLIMIT_CORE: (0, 4096),
        resource.RLIMIT_FSIZE: (10**9, 10**9),
    }

    def set_limits():
        for what, limit in limits.items():
            resource.setrlimit(what, limit)

    process = lab.start(
        "run", "tap-a", "target-b", preexec_fn=set_limits, pass_fds=(stray,), close_fds=True
    )
    end_of(process)
    os.close(stray)
    inherited = json.loads(seen.read_text())
    assert inherited["descriptors"] == [0, 1, 2]
    for what, limit in limits.items():
        assert tuple(inherited["limits"][str(what)]) == limit
    assert inherited["blocked"] == []
    kept = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)  # as nohup and shells want it
    ignored = [number for number in kept if signal.getsignal(number) == signal.SIG_IGN]
    assert inherited["ignored"] == ignored
