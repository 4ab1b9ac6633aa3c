"""How a task of a generated DAG can end, played through with one running Airflow of each major
version: what its users see, and what is left of it.

All scenes of one version run side by side, except those that end the scheduler itself, which come
last. Each has a project of its own."""

import concurrent.futures
import dataclasses
import json
import signal
from collections.abc import Callable

import pytest

from faults.lab import STATE_ID
from live import PATIENCE_S, TASK, Live, Task, has_ended, send, suspended
from support.servers import wait_until

NOTE = "note:streams"
NOTE_TASK = "note_streams"


@dataclasses.dataclass
class Scene:
    play: Callable[[Task], None]
    versions: tuple[int, ...] = (2, 3)
    alone: bool = False  # it ends what the others run under
    uses_postgres: bool = False  # as the system database

    @property
    def name(self) -> str:
        return self.play.__name__.replace("_", "-")


SCENES: list[Scene] = []


def scene(**options):
    def register(play):
        SCENES.append(Scene(play, **options))
        return play

    return register


def endless(task: Task) -> list:
    """Ten records a second until the scene lets it end."""
    return [["schema", "users"], ["until", "users", str(task.release), 0.1]]


# --- by itself ------------------------------------------------------------------------------------


@scene()
def a_task_that_succeeds_hands_its_record_on(task):
    """And a following task reads it as docs/airflow.md says."""
    streams = '{{ macros.json.loads(ti.xcom_pull(task_ids="' + TASK + '"))["streams"] }}'
    task.generate(
        [["schema", "users"], ["counted", "users", 3, 1]],
        airflow={"tasks": {NOTE: {"env": {"STREAMS": streams}}}},
        more_tasks=[NOTE],
    )
    task.start(records=0)
    task.live.wait_for_state(task.name, "success", task_id=NOTE_TASK)
    record = json.loads(task.live.xcom(task.name))
    assert record["trigger"]["kind"] == "airflow"
    assert record["streams"][0]["records"] == 3
    assert (task.root / "note.txt").read_text() == str(record["streams"])
    assert record == task.records()[0]
    assert f"The whole log is {record['log_path']}" in task.live.log(task.name)
    assert task.statuses() == ["success", "success"]
    task.check_left()


@scene()
def a_task_that_fails_says_why(task):
    reason = "the source is closed on Mondays"
    task.generate(
        [["schema", "users"], ["counted", "users", 3, 1], ["stderr", "\x1b[31mred\x1b[0m"],
         ["chatter", 5000], ["stderr", reason], ["exit", 3]]
    )
    task.start(records=0)
    task.live.wait_for_state(task.name, "failed")
    task.check_state()
    log = task.live.log(task.name)
    assert len(log.splitlines()) < 300, "the burst, what Airflow adds, and not 5,000"
    summary = log[log.index("The last lines of tap-a:"):]
    assert reason in summary
    assert "\x1b" not in log and " red\n" in log
    assert "xtractor 'tap-a' failed: exit status 3" in summary
    (record,) = task.records()
    assert record["log_path"] in summary
    assert record["error"]["class"] == "tap"
    task.lab.prepare([["schema", "users"], ["counted", "users", 3, 1]])
    task.check_left()


@scene()
def a_plugin_that_is_killed_is_named(task):
    """As the kernel does when memory runs out."""
    task.generate([["schema", "users"], ["counted", "users", 3, 1], ["signal", signal.SIGKILL]])
    task.start(records=0)
    task.live.wait_for_state(task.name, "failed")
    task.check_state()
    assert "xtractor 'tap-a' failed: signal 9 (SIGKILL)" in task.live.log(task.name)
    task.lab.prepare([["schema", "users"], ["counted", "users", 3, 1]])
    task.check_left()


def start_beside_another(task: Task, **env: str):
    """The task, while a run of the same state id that somebody started by hand goes on."""
    task.generate(endless(task), env=env)
    other = task.lab.start("run", "tap-a", "target-b")
    task.wait_for_records(3)
    task.start(records=0)
    return other


def end_other(task: Task, other, statuses: list[str]) -> None:
    other.communicate(timeout=30)
    assert sorted(task.statuses()) == statuses
    task.check_left()


@scene()
def a_run_beside_another_is_refused(task):
    other = start_beside_another(task)
    task.live.wait_for_state(task.name, "failed")
    said = f"another '{STATE_ID}' pipeline is already running which started at"
    assert said in task.live.log(task.name)
    assert f"(process {other.pid} on " in task.live.log(task.name)
    task.finish()
    end_other(task, other, ["failed", "success"])


@scene()
def what_is_left_undone_by_policy_is_skipped(task):
    other = start_beside_another(task, MELTSHIM_ON_RUNNING="skip")
    task.live.wait_for_state(task.name, "skipped")
    task.finish()
    end_other(task, other, ["skipped", "success"])


@scene()
def a_run_that_may_wait_starts_when_the_other_has_ended(task):
    other = start_beside_another(task, MELTSHIM_ON_RUNNING="wait=120")
    waits = f"Waiting for another run of '{STATE_ID}' to end (process {other.pid} on "
    wait_until(lambda: waits in task.live.log(task.name), f"{task.name}: it waits", PATIENCE_S)
    task.finish()
    task.live.wait_for_state(task.name, "success")
    end_other(task, other, ["success", "success"])


@scene()
def a_retry_goes_on_where_the_first_try_came_to(task):
    failed = str(task.root / "failed")
    task.generate(
        [["schema", "users"], ["counted", "users", 5, 1], ["once", failed, "exit", 1],
         ["counted", "users", 5, 1]],
        airflow={"retries": task.live.spare_retries},
    )
    task.start(records=0)
    task.live.wait_for_state(task.name, "success", 2)
    assert task.loaded() == list(range(1, 16)), "no record twice, none left out"
    task.check_state()
    assert task.statuses() == ["failed", "success"]
    task.check_left()


@scene()
def an_environment_without_shlvl(task):
    """Where nobody says otherwise, bash takes itself for a remote shell and reads its profile."""
    was_read = task.root / "profile-was-read"
    (task.root / ".bashrc").write_text(f"touch {was_read}\n")
    task.generate([["schema", "users"], ["counted", "users", 3, 1]], env={"HOME": str(task.root)})
    task.start(records=0)
    task.live.wait_for_run(task.name, "success")
    assert not was_read.exists()
    (dag,) = (task.live.dags / task.name).glob("*.py")
    changed = task.root / "changed"
    changed.write_text(dag.read_text().replace('"SHLVL": "1",', ""))
    changed.replace(dag)
    task.live.airflow.clear(task.name)
    task.live.wait_for_state(task.name, "success", 2)
    assert was_read.exists(), "without our DAG file's variable it does"
    task.check_left()


# --- ended by Airflow -----------------------------------------------------------------------------


@scene()
def a_task_that_takes_too_long_is_ended(task):
    task.generate(endless(task), airflow={"execution_timeout": "10s"})
    task.start()
    task.live.wait_for_state(task.name, "failed")
    task.wait_until_quiet()
    task.check_state()
    assert task.records()[0]["error"]["class"] == "terminated"
    task.check_left()


@scene()
def a_target_that_drains_after_the_timeout_is_waited_for(task):
    """Nobody reads our output any more by then."""
    task.generate(
        endless(task),
        target={"drain": 2, "confirm_late": True},
        airflow={"execution_timeout": "10s"},
    )
    task.live.start_dag(task.name)
    task.live.wait_for_state(task.name, "failed")
    task.wait_until_quiet()
    assert task.loaded()
    task.check_state()
    assert task.records()[0]["error"]["class"] == "terminated"
    task.check_left()


@scene()
def a_task_that_is_marked_as_failed_ends(task):
    task.generate(endless(task))
    task.start()
    task.live.airflow.mark_failed(task.name, task.live.run_id(task.name), TASK)
    task.wait_until_quiet()
    task.check_state()
    assert task.records()[0]["error"]["class"] == "terminated"
    task.check_left()


@scene()
def a_task_that_is_cleared_starts_again(task):
    task.generate(endless(task))
    task.start()
    first = task.program()
    task.live.airflow.clear(task.name)
    wait_until_gone(task, first)
    task.finish()
    task.live.wait_for_state(task.name, "success", 2)
    task.check_state()
    assert task.statuses() == ["failed", "success"]
    task.check_left()


# --- processes that die ---------------------------------------------------------------------------


def wait_until_gone(task: Task, pid: int) -> None:
    what = f"{task.name}: the first try is gone ({task.live.folder})"
    wait_until(lambda: pid not in task.lab.survivors(), what, PATIENCE_S, 0.1)


def succeed_next_time(task: Task, program: int, runner: int) -> None:
    """Waits for the end of a first try, lets the next one come to its end, and checks both."""
    wait_until_gone(task, program)
    if task.live.version == 2:
        # It writes its end over whatever the next try has written until then.
        wait_until(lambda: has_ended(runner), f"{task.name}: the first task runner", PATIENCE_S)
    task.finish()
    task.live.wait_for_state(task.name, "success", 2)
    task.check_state()
    statuses = task.statuses()
    # Airflow 2 can take a task runner's death for that of the next one, too, and tries once more.
    assert (statuses if task.live.version == 3 else [statuses[0], statuses[-1]]) == [
        "failed", "success"
    ]


def kill_and_retry(task: Task, find_victim, number: int) -> None:
    """Ends a process above or at the program; the task's next try goes on and succeeds."""
    task.generate(endless(task), airflow={"retries": task.live.spare_retries})
    task.start()
    program, runner = task.program(), task.runner()
    send(find_victim(task), number)
    succeed_next_time(task, program, runner)
    task.check_left()


@scene()
def a_program_that_is_killed_leaves_nothing_behind(task):
    """As the kernel does when memory runs out. The next run shows the record it had made."""
    kill_and_retry(task, Task.program, signal.SIGKILL)
    killed, *_ = task.records()
    assert "ended without closing its run" in killed["error"]["message"]
    assert killed["trigger"]["dag_id"] == task.name
    assert killed["trigger"]["try_number"] == "1"


@scene()
def a_program_that_is_terminated_is_tried_again(task):
    kill_and_retry(task, Task.program, signal.SIGTERM)


@scene()
def a_task_runner_that_is_terminated(task):
    kill_and_retry(task, Task.runner, signal.SIGTERM)


@scene()
def a_task_runner_that_is_killed(task):
    kill_and_retry(task, Task.runner, signal.SIGKILL)


@scene()
def a_supervisor_that_is_terminated(task):
    kill_and_retry(task, Task.supervisor, signal.SIGTERM)


@scene()
def a_supervisor_that_is_killed(task):
    kill_and_retry(task, Task.supervisor, signal.SIGKILL)


def kill_worker(task: Task, number: int) -> None:
    """Nobody is told: the supervisor and what it started go on without it."""
    task.generate(endless(task))
    task.start()
    before = len(task.loaded())
    send(task.worker(), number)
    task.wait_for_records(before + 30)
    task.finish()
    task.live.wait_for_state(task.name, "success", 1)
    assert task.statuses() == ["success"]
    task.check_left()


# In Airflow 3 the worker of a LocalExecutor is the supervisor.
@scene(versions=(2,))
def a_worker_that_is_terminated(task):
    kill_worker(task, signal.SIGTERM)


@scene(versions=(2,))
def a_worker_that_is_killed(task):
    kill_worker(task, signal.SIGKILL)


@scene()
def heartbeats_that_are_lost(task):
    """The second try begins while the first one still loads, and takes over from it."""
    task.generate(endless(task), airflow={"retries": task.live.spare_retries})
    task.start()
    program, runner = task.program(), task.runner()
    with suspended(task.supervisor()):
        succeed_next_time(task, program, runner)
    told = f"An older attempt of this task still runs as process {program}: telling it to end"
    assert told in task.live.log(task.name, 2)
    task.check_left()


# --- the scheduler --------------------------------------------------------------------------------


@scene(alone=True)
def a_scheduler_that_is_told_to_end_waits_for_the_task(task):
    task.generate(endless(task))
    task.start()
    before = len(task.loaded())
    scheduler = task.live.airflow.pid("scheduler")
    send(scheduler, signal.SIGTERM)
    send(scheduler, signal.SIGTERM)
    task.wait_for_records(before + 30)
    task.finish()
    task.live.airflow.restart_scheduler(signal.SIGTERM)
    task.live.wait_for_state(task.name, "success", 1)
    assert task.statuses() == ["success"]
    task.check_left()


@scene(alone=True, uses_postgres=True)
def a_scheduler_that_is_killed_and_started_again(task):
    """The new one starts a second try while the first one still loads."""
    task.generate(endless(task), airflow={"retries": task.live.spare_retries})
    task.start()
    program, runner = task.program(), task.runner()
    task.live.airflow.restart_scheduler(signal.SIGKILL)
    succeed_next_time(task, program, runner)
    task.check_left()


# --- the play -------------------------------------------------------------------------------------


class Play:
    """The scenes of one version while they run."""

    def __init__(self, live: Live, meltshim, scenes: list[Scene]):
        self.live = live
        self.tasks = {
            scene.name: Task(live, scene.name, meltshim, scene.uses_postgres) for scene in scenes
        }
        self.pool = concurrent.futures.ThreadPoolExecutor(len(scenes) or 1)
        together = [scene for scene in scenes if not scene.alone]
        self.outcomes = {
            scene.name: self.pool.submit(scene.play, self.tasks[scene.name]) for scene in together
        }

    def outcome(self, scene: Scene) -> None:
        if not scene.alone:
            self.outcomes[scene.name].result()
            return
        concurrent.futures.wait(self.outcomes.values())
        scene.play(self.tasks[scene.name])

    def end(self) -> None:
        self.pool.shutdown(cancel_futures=True)
        for task in self.tasks.values():
            task.lab.end_survivors()


@pytest.fixture(scope="module")
def play(request, postgres, meltshim, tmp_path_factory):
    version = request.param
    wanted = {
        item.callspec.params["scene"].name
        for item in request.session.items
        if getattr(item, "callspec", None) and item.callspec.params.get("play") == version
    }
    live = Live(tmp_path_factory.mktemp(f"airflow{version}"), postgres, version)
    # The projects and their DAG files are made while Airflow starts.
    play = Play(live, meltshim, [scene for scene in SCENES if scene.name in wanted])
    try:
        with live:
            yield play
    finally:
        play.end()


def cases():
    for version in (3, 2):
        for scene in sorted(SCENES, key=lambda scene: scene.alone):
            if version in scene.versions:
                yield pytest.param(version, scene, id=f"{version}-{scene.name}")


@pytest.mark.parametrize("play, scene", list(cases()), indirect=["play"], scope="module")
def test(play, scene):
    play.outcome(scene)
