"""A real systemd as the first process of namespaces of its own, with only the units that a test
gives it. The machine's own one, if there is one, notices nothing.

    with Systemd(root) as systemd:
        systemd.ctl("enable", "--now", "something.service")

Below root: etc and usr/local lie over those of the machine, srv is /srv. It takes root, and a
kernel that lets root have namespaces and a cgroup: why_not() says what is missing.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from support.servers import wait_until

PROGRAM = Path("/usr/lib/systemd/systemd")
UNITS = "etc/systemd/system"
# Targets of systemd itself that ordinary services refer to.
BASE_UNITS = ["basic", "exit", "final", "multi-user", "network", "network-online", "paths", "shutdown",
              "slices", "sockets", "sysinit", "timers", "umount"]
NAMESPACES = ["unshare", "--mount", "--pid", "--cgroup", "--ipc", "--uts", "--fork",
              "--kill-child", "--mount-proc"]
MOUNTS = """
mount -t tmpfs -o mode=755 run /run
umount --recursive /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
touch /run/console
mount --bind /run/console /dev/console
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
"""


def why_not() -> str | None:
    if os.geteuid() != 0:
        return "systemd is booted by root only"
    if not PROGRAM.exists():
        return "no systemd here: run tests/support/install-debian test"
    if not _cgroup_mount():
        return "no cgroup2 is mounted"
    done = subprocess.run([*NAMESPACES, "bash", "-ec", MOUNTS], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return None if done.returncode == 0 else f"no namespaces for a systemd: {done.stdout.strip()}"


def _cgroup_mount() -> Path | None:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    return None


class Systemd:
    """Overlays are pairs: what lies above, and the folder that is seen below it, at a third place
    in root/srv."""

    def __init__(self, root: Path, overlays: list[tuple[Path, Path, str]] = ()):
        self.root = root
        self.units = root / UNITS
        self._overlays = overlays
        self._process: subprocess.Popen | None = None
        self._cgroup = _cgroup_mount() / f"meltshim-test-{os.getpid()}"
        self.units.mkdir(parents=True, exist_ok=True)
        for name in BASE_UNITS:
            shutil.copy(f"/usr/lib/systemd/system/{name}.target", self.units)
        shutil.copy("/usr/lib/systemd/system/systemd-exit.service", self.units)

    def boot(self) -> None:
        """Returns when everything that is enabled was started, or has failed."""
        script = ["set -e", f"echo $$ >{self._cgroup}/cgroup.procs"]
        inside = [MOUNTS]
        for target in ("/etc", "/usr/local"):
            inside.append(f"mount -t overlay -o lowerdir={self.root}{target}:{target} none {target}")
        inside.append(f"mount --bind {self.units} /{UNITS}")
        inside.append(f"mount --bind {self.root}/srv /srv")
        for above, below, target in self._overlays:
            inside.append(f"mount -t overlay -o lowerdir={above}:{below} none {target}")
        inside.append(f"exec {PROGRAM} --system --unit=multi-user.target --show-status=0")
        (self.root / "inside").write_text("\n".join(inside) + "\n")
        script.append(f"exec {' '.join(NAMESPACES)} bash -e {self.root}/inside")
        self._cgroup.mkdir()
        with open(self.root / "boot.log", "ab") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", "\n".join(script)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], "container": "test",
                     "SYSTEMD_LOG_TARGET": "null",
                     "SYSTEMD_UNIT_PATH": f"/{UNITS}:/usr/local/lib/systemd/system"},
            )
        wait_until(self._has_booted, f"systemd (log: {self.root}/boot.log)", 120, 0.1)

    def _first(self) -> str:
        """The process that is number 1 in there."""
        pid = self._process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]

    def _has_booted(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError((self.root / "boot.log").read_text())
        try:
            done = self.run("systemctl", "is-system-running")
        except IndexError:
            return False
        return done.stdout.strip() in ("running", "degraded")

    def run(self, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["nsenter", f"--target={self._first()}", "--mount", "--pid", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=180,
        )

    def ctl(self, *words: str) -> str:
        done = self.run("systemctl", *words)
        assert done.returncode == 0, f"systemctl {' '.join(words)}: {done.stdout}"
        return done.stdout

    def show(self, unit: str, *names: str) -> list[str]:
        lines = self.ctl("show", unit, *[f"--property={name}" for name in names]).splitlines()
        values = dict(line.split("=", 1) for line in lines)
        return [values[name] for name in names]

    def kill_main(self, unit: str) -> str:
        """SIGKILL for the main process of a unit; which it was."""
        [pid] = self.show(unit, "MainPID")
        self.run("kill", "-KILL", pid)
        return pid

    def shut_down(self) -> subprocess.Popen:
        """Begins to end all units in order, as before a reboot; the process ends with the last."""
        self.ctl("exit", "--no-block")
        return self._process

    def end(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        if self._process:
            self._process.wait()
        self._process = None
        wait_until(self._remove_cgroup, f"the end of the processes in {self._cgroup}")

    def _remove_cgroup(self) -> bool:
        try:
            for folder, _, _ in os.walk(self._cgroup, topdown=False):
                os.rmdir(folder)
        except OSError:
            return False
        return True

    def __enter__(self) -> "Systemd":
        try:
            self.boot()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()
