"""Measures meltshim, Meltano and a bare shell pipe in turns, and prints medians, ratios and whether
the goals are met. All numbers are kept in build/bench/results.json."""

import argparse
import contextlib
import dataclasses
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from support.examples import environment, fill_source
from support.paths import BUILD, EXAMPLES, MELTSHIM, ROOT, SHARED, venv_bin
from support.postgres import PostgresServer
from support.servers import wait_until

BENCH = BUILD / "bench"
WORK = BENCH / "work"
MIB = 1024 * 1024


@dataclasses.dataclass
class Sample:
    wall_s: float
    cpu_s: float
    peak_kib: int
    status: int


@dataclasses.dataclass
class Median:
    """The middle of a contender's samples; status is the first that is not 0."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    status: int

    @classmethod
    def of(cls, samples: list[Sample]) -> "Median":
        return cls(
            statistics.median(sample.wall_s for sample in samples),
            statistics.median(sample.cpu_s for sample in samples),
            max(sample.peak_kib for sample in samples) / 1024,
            next((sample.status for sample in samples if sample.status), 0),
        )


@dataclasses.dataclass
class Contender:
    command: list[str]
    cwd: Path
    env: dict[str, str] = dataclasses.field(default_factory=dict)
    before: Callable[[], None] | None = None
    check: Callable[[str], None] | None = None  # is given what it printed on standard output


def bench_environment(**extra: str) -> dict[str, str]:
    return environment(
        HOME=str(WORK / "home"),
        MELTANO_SEND_ANONYMOUS_USAGE_STATS="false",
        MELTANO_CLI_DISABLE_VERSION_CHECK="1",
        **extra,
    )


def measure(contender: Contender) -> Sample:
    result = WORK / "result.json"
    result.unlink(missing_ok=True)
    if contender.before:
        contender.before()
    with open(WORK / "stdout", "wb") as stdout, open(WORK / "stderr", "wb") as stderr:
        subprocess.run(
            [BENCH / "measure", result, *contender.command],
            cwd=contender.cwd,
            env=bench_environment(**contender.env),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            check=True,
        )
    sample = Sample(**json.loads(result.read_text()))
    if contender.check and not sample.status:
        contender.check((WORK / "stdout").read_text())
    return sample


def compare(contenders: dict[str, Contender], rounds: int, warm_up: bool = True) -> dict:
    """Takes turns, so that a busy moment of the machine hits all of them alike."""
    samples = {name: [] for name in contenders}
    for round_number in range(-1 if warm_up else 0, rounds):
        for name, contender in contenders.items():
            sample = measure(contender)
            if sample.status and name != "meltano":
                log = (WORK / "stderr").read_text(errors="replace")[-2000:]
                sys.exit(f"{name} failed with {sample.status}:\n{log}")
            if round_number >= 0:
                samples[name].append(sample)
    return {name: Median.of(values) for name, values in samples.items()}


class Report:
    def __init__(self):
        self.results = {}
        self.missed = 0

    def show(self, title: str, medians: dict[str, Median], amount_bytes: int = 0) -> None:
        print(f"\n{title}")
        for name, median in medians.items():
            line = f"  {name:<16} {median.wall_s * 1000:11.1f} ms  {median.peak_mib:8.1f} MiB"
            if amount_bytes and not median.status:
                line += f"  {amount_bytes / median.wall_s / 1e6:8.0f} MB/s"
            if median.status:
                line += f"  failed with {median.status}"
            print(line)
        self.results[title] = {name: dataclasses.asdict(m) for name, m in medians.items()}

    def goal(self, text: str, value: float, bound: float, at_least: bool = False) -> None:
        met = value >= bound if at_least else value <= bound
        self.missed += not met
        sign = ">=" if at_least else "<="
        verdict = "met   " if met else "MISSED"
        print(f"  {verdict} {text}: {value:.3g} ({sign} {bound:g})", flush=True)

    def memory_goal(self, medians: dict[str, Median]) -> None:
        self.goal("peak memory of meltshim in MiB", medians["meltshim"].peak_mib, 8)


def meltano_and_meltshim(arguments: list[str], project: Path, **env: str) -> dict[str, Contender]:
    """Each in a copy of the project of its own, so that neither meets the other's database."""
    programs = {"meltano": venv_bin("meltano") / "meltano", "meltshim": MELTSHIM}
    contenders = {}
    for name, program in programs.items():
        copy = WORK / name / project.name
        if not copy.exists():
            shutil.copytree(project, copy)
        contenders[name] = Contender([str(program), *arguments], copy, env)
    return contenders


def bench_project() -> Path:
    project = WORK / "project"
    if not project.exists():
        shutil.copytree(ROOT / "tests" / "bench" / "project", project)
        (project / "bin").mkdir()
        for plugin in ("tap", "mapper", "target"):
            shutil.copy(BENCH / plugin, project / "bin" / plugin)
    return project


def pipe(*stages: str, **env: str) -> Contender:
    return Contender(["sh", "-c", " | ".join(stages) + " > /dev/null"], bench_project(), env)


def largest_project() -> Path:
    """The largest of the real projects beside the repository, or ours."""
    files = (SHARED / "projects").glob("*/meltano.yml")
    largest = max(files, key=lambda file: file.stat().st_size, default=None)
    if largest is None:
        print("no real projects (MELTSHIM_SHARED): examples/flights takes their place")
        return EXAMPLES / "flights"
    project = WORK / largest.parent.name
    if not project.exists():
        project.mkdir(parents=True)
        shutil.copyfile(largest, project / largest.name)
    return project


def bench_start(report: Report, rounds: int) -> None:
    project = largest_project()
    for arguments in (["--version"], ["schedule", "list", "--format=json"]):
        medians = compare(meltano_and_meltshim(arguments, project), rounds)
        report.show(f"start: {' '.join(arguments)} ({project.name})", medians)
        ratio = medians["meltano"].wall_s / medians["meltshim"].wall_s
        report.goal("times as fast as Meltano", ratio, 100, at_least=True)
        report.memory_goal(medians)


def bench_fixed(report: Report, rounds: int) -> None:
    one = {"BENCH_TAP_RECORDS": "1"}
    contenders = {
        "pipe": pipe("bin/tap", "bin/target", **one),
        **meltano_and_meltshim(["run", "tap", "target"], bench_project(), **one),
    }
    medians = compare(contenders, rounds)
    report.show("fixed cost of a run: one record", medians)
    over = (medians["meltshim"].wall_s - medians["pipe"].wall_s) * 1000
    report.goal("ms over the bare pipe", over, 15)
    report.memory_goal(medians)


def expect_records(records: int) -> Callable[[str], None]:
    """Speed counts for nothing when the counts of the run record are wrong."""

    def check(stdout: str) -> None:
        record = json.loads(stdout.splitlines()[-1])
        counted = sum(stream["records"] for stream in record["streams"])
        if counted != records:
            sys.exit(f"the run record counts {counted} records, the tap sent {records}")

    return check


def bench_relay(report: Report, rounds: int) -> None:
    """Meltano gets an eighth of the data: at its speed all of it would take minutes."""
    records, line_bytes = 4_000_000, 268
    ours = {"BENCH_TAP_RECORDS": str(records)}
    eighth = {"BENCH_TAP_RECORDS": str(records // 8)}
    for title, plugins, bare in (
        ("without a mapper", ["tap", "target"], ["bin/tap", "bin/target"]),
        ("with a mapper", ["tap", "unchanged", "target"], ["bin/tap", "bin/mapper", "bin/target"]),
    ):
        through_cat = " | cat | ".join(bare)
        run = ["run", *plugins]
        contenders = {
            "pipe": pipe(*bare, **ours),
            "pipe with cat": pipe(through_cat, **ours),
            "meltshim": meltano_and_meltshim(run, bench_project(), **ours)["meltshim"],
        }
        contenders["meltshim"].check = expect_records(records)
        medians = compare(contenders, rounds)
        report.show(f"relay {title}: 1 GiB", medians, records * line_bytes)
        speed = medians["pipe with cat"].wall_s / medians["meltshim"].wall_s
        report.goal("of the speed of the pipe with cat", speed, 0.9, at_least=True)
        report.memory_goal(medians)
        meltano = meltano_and_meltshim(run, bench_project(), **eighth)["meltano"]
        medians = compare({"meltano": meltano}, rounds, warm_up=False)
        report.show(f"relay {title}: 128 MiB", medians, records // 8 * line_bytes)


def bench_line(report: Report, rounds: int) -> None:
    size = 256 * MIB
    one_line = {"BENCH_TAP_RECORDS": "1", "BENCH_TAP_LINE_BYTES": str(size)}
    contenders = {
        "pipe with cat": pipe("bin/tap", "cat", "bin/target", **one_line),
        **meltano_and_meltshim(["run", "tap", "target"], bench_project(), **one_line),
    }
    medians = compare(contenders, rounds)
    report.show("one line of 256 MiB", medians, size)
    report.memory_goal(medians)


def start_run(project: Path, records: int, **env: str) -> subprocess.Popen:
    return subprocess.Popen(
        [MELTSHIM, "run", "tap", "target"],
        cwd=project,
        env=bench_environment(BENCH_TAP_RECORDS=str(records), **env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def kill_and_start_again(project: Path, count_runs: Callable, last_begin: Callable, **env) -> float:
    """Seconds from the kill of a run under full load to the next one's lock and row."""
    before = count_runs()
    victim = start_run(project, 10**9, **env)
    wait_until(lambda: count_runs() > before, "the run has its row", interval_s=0.01)
    victim.kill()
    killed_at = time.time()
    victim.wait()
    following = start_run(project, 1, **env)
    output, _ = following.communicate(timeout=60)
    if following.returncode:
        sys.exit(f"the run after the kill failed:\n{output.decode()}")
    return last_begin() - killed_at


def bench_kill(report: Report, rounds: int) -> None:
    """From kill -9 to the next run; the dead one's plugins still write while it starts."""
    project = WORK / "killed"
    shutil.copytree(bench_project(), project)
    rows = "SELECT {} FROM runs WHERE state <> 'STATE_EDIT'"

    def ask_sqlite(sql: str) -> float:
        file = project / ".meltano" / "meltano.db"
        if not file.exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            try:
                return float(database.execute(sql).fetchone()[0])
            except sqlite3.OperationalError:  # the tables are being made
                return 0

    with PostgresServer() as server:
        uri = server.create_database("killed")

        def ask_postgres(sql: str) -> float:
            return float(server.psql(sql, "killed").strip())

        start_run(project, 1, MELTANO_DATABASE_URI=uri).communicate()
        epochs = {
            "sqlite": "(julianday(MAX(started_at)) - 2440587.5) * 86400",
            "postgresql": "extract(epoch FROM MAX(started_at))",
        }
        for name, ask in ("sqlite", ask_sqlite), ("postgresql", ask_postgres):
            delays = [
                kill_and_start_again(
                    project,
                    lambda ask=ask: ask(rows.format("COUNT(*)")),
                    lambda ask=ask, name=name: ask(rows.format(epochs[name])),
                    **({"MELTANO_DATABASE_URI": uri} if name == "postgresql" else {}),
                )
                for _ in range(4 * rounds)
            ]
            milliseconds = 1000 * statistics.median(delays)
            print(f"\nfrom kill -9 to the next run: {name}, longest {1000 * max(delays):.0f} ms")
            report.results[f"kill: {name}"] = delays
            report.goal("ms (median)", milliseconds, 100)


CONCURRENT_RUNS = 50


def at_once(command: str) -> list[str]:
    """$i tells the runs apart."""
    numbers = " ".join(str(number) for number in range(CONCURRENT_RUNS))
    return ["sh", "-c", f"for i in {numbers}; do {command} & done; wait"]


def bench_concurrent(report: Report, rounds: int) -> None:
    """Fifty runs of different state ids on one database, against fifty bare pipes."""
    one = {"BENCH_TAP_RECORDS": "1000"}
    project = WORK / "concurrent"
    shutil.copytree(bench_project(), project)
    run = at_once(f"{MELTSHIM} run --state-id-suffix=$i tap target")

    def check(stdout: str) -> None:
        succeeded = sum(json.loads(line)["exit_code"] == 0 for line in stdout.splitlines())
        if succeeded != CONCURRENT_RUNS:
            sys.exit(f"{succeeded} of {CONCURRENT_RUNS} concurrent runs succeeded")

    with PostgresServer() as server:
        uri = server.create_database("concurrent")
        contenders = {
            "pipes": Contender(at_once("bin/tap | bin/target > /dev/null"), project, one),
            "sqlite": Contender(run, project, one, check=check),
            "postgresql": Contender(
                run, project, {**one, "MELTANO_DATABASE_URI": uri}, check=check
            ),
        }
        medians = compare(contenders, rounds)
    report.show(f"{CONCURRENT_RUNS} runs at once, 1,000 records each", medians)
    for name in ("sqlite", "postgresql"):
        over = (medians[name].wall_s - medians["pipes"].wall_s) * 1000 / CONCURRENT_RUNS
        print(f"  ms for each run over its pipe, on {name}: {over:.3g}", flush=True)


def bench_install(report: Report, rounds: int) -> None:
    contenders = meltano_and_meltshim(["install"], EXAMPLES / "flights")
    medians = compare(contenders, rounds)
    report.show("a second install with nothing to do (examples/flights)", medians)
    report.memory_goal(medians)


def dump(project: Path, plugin: str, what: str, env: dict[str, str]) -> Path:
    """The configuration or catalog that Meltano gives a plugin."""
    file = project / f"{plugin}.{what}.json"
    done = subprocess.run(
        [venv_bin("meltano") / "meltano", "invoke", f"--dump={what}", plugin],
        cwd=project,
        env=bench_environment(**env),
        stdout=subprocess.PIPE,
        check=True,
    )
    file.write_bytes(done.stdout)
    return file


def bench_real(report: Report, rounds: int) -> None:
    """All flights of 2013, from one PostgreSQL database to another, by plugins as people use."""
    with PostgresServer() as server:
        env = server.environment()
        fill_source(server, *range(1, 13))
        run = ["run", "--full-refresh", "tap-postgres", "target-postgres"]
        contenders = meltano_and_meltshim(run, EXAMPLES / "warehouse", **env)
        project = contenders["meltshim"].cwd
        subprocess.run([MELTSHIM, "install"], cwd=project, env=bench_environment(**env), check=True)
        tap = project / ".meltano/extractors/tap-postgres/venv/bin/tap-postgres"
        target = project / ".meltano/loaders/target-postgres/venv/bin/target-postgres"
        tap_config = dump(project, "tap-postgres", "config", env)
        catalog = dump(project, "tap-postgres", "catalog", env)
        target_config = dump(project, "target-postgres", "config", env)
        bare = pipe(
            f"{tap} --config {tap_config} --catalog {catalog}", f"{target} --config {target_config}"
        )

        def empty_warehouse():
            server.psql("DROP SCHEMA IF EXISTS raw CASCADE", "warehouse")

        contenders = {"pipe": bare, "meltshim": contenders["meltshim"]}
        for contender in contenders.values():
            contender.before = empty_warehouse
        medians = compare(contenders, rounds)
        report.show("336,776 flights between two PostgreSQL databases", medians)
        longer = medians["meltshim"].wall_s / medians["pipe"].wall_s
        report.goal("times as long as the bare pipe", longer, 1.02)


def expect_states(least: int) -> Callable[[str], None]:
    """A relay that is not slowed down because nothing is saved is no success."""

    def check(stdout: str) -> None:
        saved = json.loads(stdout.splitlines()[-1])["blocks"][0]["state"]["checkpoints"]
        if saved < least:
            sys.exit(f"the state was saved {saved} times, not {least} times or more")

    return check


def bench_fixed_on_postgres(report: Report, server: PostgresServer, rounds: int) -> None:
    env = {"BENCH_TAP_RECORDS": "1", "MELTANO_DATABASE_URI": server.create_database("fixed")}
    project = bench_project()
    contenders = {
        "pipe": pipe("bin/tap", "bin/target", **env),
        "meltshim": Contender([str(MELTSHIM), "run", "tap", "target"], project, env),
    }
    medians = compare(contenders, rounds)
    report.show("fixed cost of a run on PostgreSQL: one record", medians)
    over = (medians["meltshim"].wall_s - medians["pipe"].wall_s) * 1000
    report.goal("ms over the bare pipe", over, 30)


def written_transactions(server: PostgresServer) -> int:
    """How many transactions have had a number so far: those that write."""
    return int(server.psql("SELECT pg_snapshot_xmax(pg_current_snapshot())"))


def bench_transactions(report: Report, server: PostgresServer) -> None:
    env = {"MELTANO_DATABASE_URI": server.create_database("transactions")}
    run = Contender([str(MELTSHIM), "run", "tap", "target"], bench_project(), env)
    # The first run creates the tables; the long one confirms a state every few milliseconds.
    for title, records in (("first", 1), ("short", 1), ("long", 32_000_000)):
        run.env["BENCH_TAP_RECORDS"] = str(records)
        before = written_transactions(server)
        sample = measure(run)
        count = written_transactions(server) - before
        if sample.status:
            sys.exit(f"meltshim failed with {sample.status}")
        report.results[f"transactions of the {title} run"] = {"count": count, "s": sample.wall_s}
        if title == "short":
            print("\ntransactions that write, on PostgreSQL")
            report.goal("of a short run", count, 8)
        elif title == "long":
            # Beside those that every run needs.
            report.goal("a second, in a long run", (count - 8) / sample.wall_s, 1.3)


def bench_large_state(report: Report, rounds: int, name: str, **env: str) -> None:
    # Ten seconds, or it would be measured how the run ends: with its last state in any case.
    records, line_bytes = 96_000_000, 268
    env |= {
        "BENCH_TAP_RECORDS": str(records),
        "BENCH_TAP_STATE_EVERY": str(10 * records),
        "BENCH_TARGET_STATE_BYTES": "20000000",
    }
    run = [str(MELTSHIM), "--log-level=error", "run"]
    contenders = {
        "not saved": Contender([*run, "--no-state-update", "tap", "target"], bench_project(), env),
        "saved": Contender([*run, "tap", "target"], bench_project(), env),
    }
    contenders["saved"].check = expect_states(3)
    medians = compare(contenders, min(rounds, 3))
    report.show(f"a state of 20 MB every second on {name}", medians, records * line_bytes)
    slower = medians["saved"].wall_s / medians["not saved"].wall_s
    report.goal("times as long as without saving", slower, 1.1)


def bench_database(report: Report, rounds: int) -> None:
    bench_large_state(report, rounds, "SQLite")
    with PostgresServer() as server:
        bench_fixed_on_postgres(report, server, rounds)
        bench_transactions(report, server)
        uri = server.create_database("large")
        bench_large_state(report, rounds, "PostgreSQL", MELTANO_DATABASE_URI=uri)


def large_project() -> Path:
    """1,000 schedules, 500 jobs and 5,000 plugins."""
    project = WORK / "large"
    if project.exists():
        return project
    project.mkdir(parents=True)
    lines = ["plugins:"]
    for kind in ("extractors", "loaders"):
        lines.append(f"  {kind}:")
        for number in range(2500):
            lines += [
                f"  - name: {kind}-{number}",
                f"    namespace: {kind}_{number}",
                f"    pip_url: {kind}=={number}",
                "    config:",
                f"      port: {number}",
            ]
    lines.append("jobs:")
    for number in range(500):
        lines += [
            f"- name: job-{number}",
            "  tasks:",
            f"  - extractors-{number} loaders-{number}",
            "  - dbt:run",
        ]
    lines.append("schedules:")
    for number in range(500):
        lines += [
            f"- name: job-{number}",
            "  interval: '@daily'",
            f"  job: job-{number}",
            "  env:",
            f"    NUMBER: '{number}'",
        ]
        lines += [
            f"- name: load-{number}",
            "  interval: 0 6 * * *",
            f"  extractor: extractors-{number}",
            f"  loader: loaders-{number}",
            "  transform: skip",
        ]
    (project / "meltano.yml").write_text("\n".join(lines) + "\n")
    return project


def bench_dags(report: Report, rounds: int) -> None:
    project = large_project()
    generate = f"exec {MELTSHIM} --log-level=error airflow generate --output"
    medians = compare(
        {
            # A folder of its own for each round.
            "first": Contender(["sh", "-c", f"{generate} dags/$$ > /dev/null"], project, {}),
            "unchanged": Contender(["sh", "-c", f"{generate} dags/same > /dev/null"], project, {}),
        },
        rounds,
    )
    report.show("airflow generate: 1,000 schedules, 5,000 plugins", medians)
    report.goal("ms for the first time", medians["first"].wall_s * 1000, 300)
    report.goal("ms when nothing changed", medians["unchanged"].wall_s * 1000, 100)
    peak = max(median.peak_mib for median in medians.values())
    report.goal("peak memory in MiB", peak, 64)


READ_DAGS = """
import logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
assert len(bag.dags) == int(sys.argv[2]), len(bag.dags)
"""

# As the generators for Meltano work: the schedules are asked for whenever the file is read.
GENERATOR = """
import json, subprocess
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with open("{starts}", "a") as file:
    file.write("x")
answer = subprocess.run(["{meltano}", "schedule", "list", "--format=json"], cwd="{project}",
                        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
listed = json.loads(answer.stdout)["schedules"]
for schedule in listed["job"] + listed["elt"]:
    dag_id = schedule["name"]
    with DAG(dag_id, schedule=schedule["cron_interval"], catchup=False) as dag:
        BashOperator(task_id="run", bash_command="meltano schedule run " + dag_id)
    globals()[dag_id] = dag
"""


def bench_airflow(report: Report, rounds: int) -> None:
    """What Airflow pays for reading the DAGs: every 30 seconds, and at the start of every task."""
    project = large_project()
    static = WORK / "airflow" / "static"
    subprocess.run([MELTSHIM, "airflow", "generate", "--output", static], cwd=project, check=True,
                   env=bench_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    one = WORK / "airflow" / "one"
    one.mkdir()
    shutil.copy(static / "job-0.py", one)
    python, home = venv_bin("airflow") / "python", WORK / "airflow" / "home"
    folders = {"1,000 files": (static, 1000), "one of them": (one, 1)}
    for name, program in (("meltano", venv_bin("meltano") / "meltano"), ("meltshim", MELTSHIM)):
        folder = WORK / "airflow" / name
        folder.mkdir()
        starts = folder / "starts"
        (folder / "generator.py").write_text(
            GENERATOR.format(starts=starts, meltano=program, project=project)
        )
        folders[f"generator, {name}"] = (folder, 1000)
    contenders = {
        name: Contender([str(python), "-c", READ_DAGS, str(folder), str(count)], project,
                        {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"})
        for name, (folder, count) in folders.items()
    }
    rounds = min(rounds, 3)
    medians = compare(contenders, rounds, warm_up=False)
    report.show("Airflow reads 1,000 DAGs", medians)
    starts = (WORK / "airflow" / "meltano" / "starts").stat().st_size / rounds
    print(f"  process starts per reading: {starts:g} by the generator, 0 by files of literals")
    ratio = medians["generator, meltano"].wall_s / medians["one of them"].wall_s
    report.goal("times as fast at the start of a task", ratio, 2, at_least=True)


GROUPS = {
    "start": bench_start,
    "dags": bench_dags,
    "airflow": bench_airflow,
    "fixed": bench_fixed,
    "relay": bench_relay,
    "line": bench_line,
    "database": bench_database,
    "kill": bench_kill,
    "concurrent": bench_concurrent,
    "install": bench_install,
    "real": bench_real,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split(",")[0])
    parser.add_argument("groups", metavar="GROUP", nargs="*", help=", ".join(GROUPS))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    unknown = set(options.groups) - GROUPS.keys()
    if unknown:
        parser.error(f"no group named {', '.join(unknown)}; there are {', '.join(GROUPS)}")

    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "home").mkdir(parents=True)
    report = Report()
    for name, bench in GROUPS.items():
        if name in options.groups or (not options.groups and name != "real"):
            bench(report, options.rounds)
    (BENCH / "results.json").write_text(json.dumps(report.results, indent=2) + "\n")
    print(f"\n{report.missed} goals missed")
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
