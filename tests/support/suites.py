"""Runs suites of tests side by side and adds up what they counted.

A suite is a folder of tests/ with a program `run` or with test_*.py files, or a command given here.
Each writes build/results/NAME.log and NAME.count (passed, failed, skipped). The last line printed
is the sum of all: "N passed, N failed".
"""

import argparse
import concurrent.futures
import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree
from pathlib import Path

from support.paths import BUILD, ROOT, venv_bin

RESULTS = BUILD / "results"
SUMMARY = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
NOT_SUITES = {"bench", "support", "unit"}
TAIL_LINES = 60


@dataclasses.dataclass
class Suite:
    name: str
    command: list[str]
    junit: Path | None = None
    env: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def test_suites() -> list[Suite]:
    """The unit tests, then every folder that holds tests."""
    suites = [Suite("unit", ["tests/support/with-postgres", "make", "unit"])]
    for folder in sorted((ROOT / "tests").iterdir()):
        if folder.name in NOT_SUITES or not folder.is_dir():
            continue
        if os.access(folder / "run", os.X_OK):
            suites.append(Suite(folder.name, [str(folder / "run")]))
        elif any(folder.glob("test_*.py")):
            junit = RESULTS / f"{folder.name}.xml"
            pytest = [str(venv_bin("tests") / "python"), "-m", "pytest", f"--junitxml={junit}"]
            suites.append(Suite(folder.name, [*pytest, str(folder)], junit))
    return suites


def ci_suites() -> list[Suite]:
    """What CI checks besides the tests. Leaks are found by the address sanitizer as well."""
    sanitized = ["tests/support/with-postgres", "make", "unit", "SAN=address,undefined"]
    sanitized.append("OPT=-O1 -g")
    # GCC's leak check crashes now and then on the thread-local storage of what dlopen() brought;
    # without a look there, it takes what libraries keep for a thread for lost.
    suppressions = ROOT / "tests" / "support" / "lsan.supp"
    quiet = {"LSAN_OPTIONS": f"use_tls=0:print_suppressions=0:suppressions={suppressions}"}
    return [
        Suite("sanitizers", [*sanitized, f"BUILD={BUILD}/sanitizers"], env=quiet),
        Suite("clang", ["make", "CC=clang", f"BUILD={BUILD}/clang"]),
        Suite("lint", [".ci/lint"]),
    ]


def count_junit(report: Path) -> Count:
    total = Count()
    for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
        tests, failures, errors, skipped = (
            int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")
        )
        total += Count(max(tests - failures - errors - skipped, 0), failures + errors, skipped)
    return total


def count_log(log: Path) -> Count | None:
    for line in reversed(log.read_text(errors="replace").splitlines()):
        match = SUMMARY.match(line.strip())
        if match:
            return Count(*(int(number or 0) for number in match.groups()))
    return None


def run(suite: Suite) -> tuple[Suite, Count, float]:
    """A suite that counts nothing counts as one; one that dies after counting has failed too."""
    log = RESULTS / f"{suite.name}.log"
    if suite.junit:
        suite.junit.unlink(missing_ok=True)
    started = time.monotonic()
    with open(log, "wb") as output:
        status = subprocess.call(
            suite.command,
            cwd=ROOT,
            env={**os.environ, **suite.env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if suite.junit:
        count = count_junit(suite.junit) if suite.junit.exists() else None
    else:
        count = count_log(log)
    if count is None:
        count = Count(passed=1) if status == 0 else Count()
    if status != 0 and count.failed == 0:
        count.failed = 1
    (RESULTS / f"{suite.name}.count").write_text(
        f"{count.passed} {count.failed} {count.skipped}\n"
    )
    return suite, count, time.monotonic() - started


def report(suite: Suite, count: Count, seconds: float) -> None:
    print(f"{suite.name:<12} {count} ({seconds:.0f} s)", flush=True)
    lines = (RESULTS / f"{suite.name}.log").read_text(errors="replace").splitlines()
    if count.failed:
        print(f"--- the last lines of {RESULTS.relative_to(ROOT)}/{suite.name}.log")
        print("\n".join(lines[-TAIL_LINES:]))
        print("---", flush=True)
    elif count.skipped:
        for line in lines:
            if line.startswith("SKIPPED"):
                print(f"    {line}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="run suites of tests side by side")
    parser.add_argument("--ci", action="store_true", help="lint, clang and sanitizers as well")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at once")
    parser.add_argument("names", metavar="SUITE", nargs="*", help="only these")
    options = parser.parse_args()

    # Started in the background, by nohup or by a CI runner, these may be ignored, and every program
    # that is tested would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

    RESULTS.mkdir(parents=True, exist_ok=True)
    suites = test_suites() + (ci_suites() if options.ci else [])
    known = {suite.name for suite in suites}
    unknown = set(options.names) - known
    if unknown:
        parser.error(f"no suite named {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    chosen = [suite for suite in suites if not options.names or suite.name in options.names]

    total = Count()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, s) for s in chosen]):
            suite, count, seconds = done.result()
            report(suite, count, seconds)
            total += count
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
