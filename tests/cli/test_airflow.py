"""airflow generate, list and explain."""

import json
import subprocess


def edit(project, old: str, new: str) -> None:
    path = project.directory / "meltano.yml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def dag(project, name: str) -> str:
    return (project.directory / "orchestrate" / "dags" / name).read_text()


def test_generate_writes_once_and_then_has_nothing_to_do(project):
    first = project("airflow", "generate")
    assert (first.status, first.out) == (
        0,
        "added     orchestrate/dags/by-elt.py\n"
        "added     orchestrate/dags/by-job.py\n"
        "orchestrate/dags: 2 added, 0 changed, 0 removed, 0 unchanged\n",
    )
    second = project("airflow", "generate")
    assert (second.status, second.out) == (
        0, "orchestrate/dags: 0 added, 0 changed, 0 removed, 2 unchanged\n"
    )


def test_generate_removes_the_file_of_a_schedule_that_is_gone(project):
    project("airflow", "generate")
    edit(project, "- name: by-job\n  interval: '*/5 * * * *'\n  job: j1\n", "")
    assert project("airflow", "generate").out == (
        "removed   orchestrate/dags/by-job.py\n"
        "orchestrate/dags: 0 added, 0 changed, 1 removed, 1 unchanged\n"
    )
    assert not (project.directory / "orchestrate" / "dags" / "by-job.py").exists()


def test_check_shows_what_is_stale_and_exits_with_1(project):
    missing = project("airflow", "generate", "--check")
    assert missing.status == 1
    assert "--- /dev/null\n+++ orchestrate/dags/by-elt.py\n" in missing.out
    assert not (project.directory / "orchestrate").exists()

    project("airflow", "generate")
    fresh = project("airflow", "generate", "--check")
    assert (fresh.status, fresh.out) == (0, "")

    edit(project, "'@daily'", "'@hourly'")
    stale = project("airflow", "generate", "--check")
    assert stale.status == 1
    assert '-    schedule="0 0 * * *",\n+    schedule="0 * * * *",\n' in stale.out
    assert project("airflow", "generate", "--diff").status == 0


def test_the_diff_can_be_applied(project):
    project("airflow", "generate")
    edit(project, "'@daily'", "'@hourly'")
    diff = project("airflow", "generate", "--diff").out
    subprocess.run(["git", "apply", "-p0"], input=diff, text=True, check=True,
                   cwd=project.directory)
    assert project("airflow", "generate", "--check").status == 0


def test_prune_only_removes(project):
    project("airflow", "generate")
    (project.directory / "orchestrate" / "dags" / ".meltshim-dags.json").unlink()
    edit(project, "name: by-job", "name: renamed")
    assert project("airflow", "generate", "--prune").out == (
        "removed   orchestrate/dags/by-job.py\n"
        "orchestrate/dags: 0 added, 0 changed, 1 removed, 1 unchanged\n"
    )
    assert not (project.directory / "orchestrate" / "dags" / "renamed.py").exists()


def test_check_and_prune_exclude_each_other(project):
    result = project("airflow", "generate", "--check", "--prune")
    assert result.status == 2
    assert "Only one of --check, --diff and --prune can be given." in result.err


def test_the_program_on_the_path_is_called_by_its_name(project):
    project("airflow", "generate")
    assert f"exec {project.program} run tap-a target-b" in dag(project, "by-job.py")
    project("airflow", "generate", PATH=f"{project.program.parent}:/usr/bin:/bin")
    assert "exec meltshim run tap-a target-b" in dag(project, "by-job.py")
    project("airflow", "generate", "--program", "/opt/m")
    assert "exec /opt/m run tap-a target-b" in dag(project, "by-job.py")


def test_only_an_environment_that_was_asked_for_is_fixed(project):
    project("airflow", "generate")
    assert "MELTANO_ENVIRONMENT" not in dag(project, "by-elt.py")
    project("--environment", "prod", "airflow", "generate")
    assert '"MELTANO_ENVIRONMENT": "prod"' in dag(project, "by-elt.py")
    project("airflow", "generate", "--environment", "dev")
    assert '"MELTANO_ENVIRONMENT": "dev"' in dag(project, "by-elt.py")


def test_an_environment_that_does_not_exist(project):
    result = project("--environment", "tets", "airflow", "generate")
    assert result.status == 1
    assert "tets" in result.err


def test_a_schedule_of_another_environment_is_left_out_and_named(project):
    edit(project, "  transform: skip\n",
         "  transform: skip\n  annotations: {meltshim: {airflow: {environment: dev}}}\n")
    result = project("--environment", "prod", "airflow", "generate")
    assert result.out == (
        "added     orchestrate/dags/by-job.py\n"
        "orchestrate/dags: 1 added, 0 changed, 0 removed, 0 unchanged\n"
        "no DAG for schedule 'by-elt': it belongs to dev\n"
    )


def test_one_bad_schedule_keeps_all_files_as_they_are(project):
    edit(project, "'*/5 * * * *'", "'*/5 * * * 8'")
    result = project("airflow", "generate")
    assert (result.status, result.out) == (1, "")
    assert "schedule 'by-job': the interval '*/5 * * * 8'" in result.err
    assert "meltano.yml:" in result.err
    assert not (project.directory / "orchestrate").exists()


def test_all_errors_are_told_at_once(project):
    edit(project, "'*/5 * * * *'", "'*/5 * * * 8'")
    edit(project, "interval: '@daily'", "interval: '@dayly'")
    edit(project, "  job: j1\n", "  job: j2\n")
    result = project("airflow", "generate")
    assert (result.status, result.out) == (1, "")
    assert "schedule 'by-elt': the interval '@dayly' is nothing that Airflow" in result.err
    assert "schedule 'by-job': job 'j2' was not found. Add it under jobs:" in result.err
    assert result.err.rstrip().endswith(
        "No DAG was made: 2 things are wrong. They are listed above."
    )


def test_a_folder_that_cannot_be_written(project):
    """/proc, for root may write anywhere else."""
    result = project("airflow", "generate", "--output", "/proc/dags")
    assert (result.status, result.out) == (1, "")
    assert "he DAG folder" in result.err and "/proc/dags" in result.err
    assert "Choose another one with --output, or with the setting core.dags_folder" in result.err


def test_two_projects_do_not_share_a_folder(project, tmp_path):
    folder = str(tmp_path / "dags")
    assert project("airflow", "generate", "--output", folder).status == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "meltano.yml").write_text((project.directory / "meltano.yml").read_text())
    result = project("airflow", "generate", "--output", folder, cwd=other)
    assert (result.status, result.out) == (1, "")
    assert f"{folder} is used by another project, {project.directory}" in result.err
    assert f"Give each project a folder of its own, such as {folder}/NAME." in result.err


def test_ids_that_become_the_same(project):
    edit(project, "name: by-job", "name: by job")
    edit(project, "name: by-elt", "name: by:job")
    result = project("airflow", "generate")
    assert result.status == 1
    assert "would become the DAG 'by_job', as would schedule 'by:job'" in result.err
    assert "give it a dag_id of its own" in result.err


def test_an_unknown_annotation(project):
    edit(project, "  job: j1\n",
         "  job: j1\n  annotations: {meltshim: {airflow: {retry: 4}}}\n")
    result = project("airflow", "generate")
    assert result.status == 1
    assert "unknown key 'retry' in annotations.meltshim.airflow. Did you mean 'retries'?" in (
        result.err
    )


def test_the_folder_is_the_one_of_the_airflow_plugin(project):
    edit(project, "  utilities:\n",
         "  orchestrators:\n  - name: airflow\n    namespace: airflow\n    settings:\n"
         "    - {name: core.dags_folder, value: $MELTANO_PROJECT_ROOT/flows}\n  utilities:\n")
    assert project("airflow", "generate").out.startswith("added     flows/by-elt.py\n")


def test_an_empty_folder_or_program_is_refused(project):
    for option in ("--output", "--program"):
        result = project("airflow", "generate", f"{option}=")
        assert result.status == 2
        assert f"Option '{option}' needs the name of a" in result.err
    assert not list(project.directory.rglob("*.py"))


def test_output_may_be_outside_of_the_project(project, tmp_path):
    folder = tmp_path / "airflow" / "dags"
    assert project("airflow", "generate", "--output", str(folder)).out.endswith(
        f"{folder}: 2 added, 0 changed, 0 removed, 0 unchanged\n"
    )
    assert (folder / "by-job.py").exists()


def test_list_shows_the_state_of_every_file(project):
    project("airflow", "generate")
    edit(project, "'@daily'", "'@hourly'")
    assert project("airflow", "list").out == (
        "DAG     SCHEDULE     TASKS  FILE                        STATUS\n"
        "by-elt  0 * * * *    1      orchestrate/dags/by-elt.py  stale\n"
        "by-job  */5 * * * *  2      orchestrate/dags/by-job.py  up to date\n"
    )


def test_list_as_json(project):
    answer = json.loads(project("airflow", "list", "--format=json", "--program=m").out)
    assert answer["folder"] == str(project.directory / "orchestrate" / "dags")
    assert [dag["dag_id"] for dag in answer["dags"]] == ["by-elt", "by-job"]
    assert answer["dags"][1]["tasks"] == [
        {"task_id": "tap_a_target_b", "group": None, "command": "exec m run tap-a target-b",
         "after": []},
        {"task_id": "util_hello", "group": None, "command": "exec m run util:hello",
         "after": ["tap_a_target_b"]},
    ]


def test_explain_names_file_and_line(project):
    edit(project, "  job: j1\n",
         "  job: j1\n  annotations: {meltshim: {airflow: {retries: 4}}}\n")
    lines = project("airflow", "explain", "by-job").out.splitlines()
    [retries] = [line.split() for line in lines if line.startswith("retries ")]
    line = (project.directory / "meltano.yml").read_text().splitlines().index(
        "  annotations: {meltshim: {airflow: {retries: 4}}}") + 1
    assert retries == ["retries", "4", "schedule,", f"meltano.yml:{line}"]


def where(explained: str) -> dict[str, str]:
    """The FROM of every value, by the first word of the table's title and the value's name."""
    found = {}
    for part in explained.split("\n\n"):
        head, *rows = part.splitlines()
        at, title = head.index("FROM"), head.split("  ")[0]
        found |= {f"{title.split()[-1]}/{row.split('  ')[0]}": row[at:] for row in rows}
    return found


def test_explain_names_every_choice_that_a_value_was_made_from(project):
    """In the project, in the job, and in a file that is included."""
    edit(project, "default_environment: dev\n",
         "default_environment: dev\n"
         "include_paths: [nightly.yml]\n"
         "annotations:\n"
         "  meltshim:\n"
         "    airflow:\n"
         "      ids: stock\n"
         "      program: /opt/meltshim\n"
         "      timezone: Europe/Berlin\n"
         "      tags: [all]\n"
         "      dependencies: serial\n"
         "      image: shop\n"
         "      namespace: etl\n"
         "      env: {STAGE: one}\n")
    (project.directory / "nightly.yml").write_text(
        "schedules:\n"
        "- name: nightly\n"
        "  interval: 30 2 * * *\n"
        "  job: j1\n"
        "  env: {B: '2'}\n"
        "  annotations:\n"
        "    meltshim:\n"
        "      airflow:\n"
        "        assets: x-lake://a\n"
        "        environment: prod\n"
        "        tags: [late]\n"
        "        cwd: '/srv/{{ shop }}'\n"
        "        tasks:\n"
        "          util:hello:\n"
        "            task_id: hello\n"
        "            namespace: night\n"
    )
    found = where(project("airflow", "explain", "nightly").out)
    line = (project.directory / "meltano.yml").read_text().splitlines().index("- name: j1") + 1
    job = f"job, meltano.yml:{line + 2}"
    assert found == {
        "DAG/dag_id": "schedule, nightly.yml:2; ids: project, meltano.yml:6",
        "DAG/description": "default",
        "DAG/schedule": "schedule, nightly.yml:3; assets: schedule, nightly.yml:9; "
                        "timezone: project, meltano.yml:8",
        "DAG/start_date": "default; timezone: project, meltano.yml:8",
        "DAG/catchup": "default",
        "DAG/max_active_runs": "default",
        "DAG/tags": "schedule, nightly.yml:2; project, meltano.yml:9; schedule, nightly.yml:11",
        "TASKS/program": "project, meltano.yml:7",
        "TASKS/cwd": "schedule, nightly.yml:12",
        "TASKS/retries": "default",
        "TASKS/retry_delay": "default",
        "TASKS/executor_config": "default; image: project, meltano.yml:11; "
                                 "namespace: project, meltano.yml:12",
        "TASKS/append_env": "default",
        "TASKS/env SHLVL": "default",
        "TASKS/env MELTANO_ENVIRONMENT": "schedule, nightly.yml:10",
        "TASKS/env STAGE": "project, meltano.yml:13",
        "TASKS/env B": "schedule, nightly.yml:5",
        "meltano_nightly_j1_task0/bash_command": job,
        "hello/task_id": "schedule, nightly.yml:15",
        "hello/bash_command": f"job, meltano.yml:{line + 3}",
        "hello/after": "project, meltano.yml:10",
        "hello/executor_config": "default; image: project, meltano.yml:11; "
                                 "namespace: schedule, nightly.yml:16",
    }


def test_explain_names_the_program_of_a_pod(project):
    edit(project, "default_environment: dev\n",
         "default_environment: dev\n"
         "annotations: {meltshim: {airflow: {mode: kubernetes_pod, image: shop, program: x}}}\n")
    found = where(project("airflow", "explain", "by-job").out)
    assert (found["TASKS/mode"], found["TASKS/cmds"]) == ("project, meltano.yml:2",) * 2
    found = where(project("airflow", "explain", "by-job", "--program=y", "--environment=prod").out)
    assert found["TASKS/cmds"] == found["TASKS/env MELTANO_ENVIRONMENT"] == "chosen for this call"


def test_explain_an_unknown_schedule(project):
    result = project("airflow", "explain", "nope")
    assert result.status == 1
    assert "chedule 'nope' was not found" in result.err
    assert "meltshim airflow list" in result.err


def test_the_record_of_a_pod_is_the_xcom_of_a_process(project):
    """The sidecar's file is read as JSON, the last line of a process as a text."""
    file = project.directory / "return.json"
    result = project("run", "tap-a", "target-b", MELTSHIM_XCOM_FILE=str(file))
    assert result.status == 0, result.err
    assert json.loads(file.read_text()) == result.out.splitlines()[-1]

    result = project("run", "tap-a", "target-b", MELTSHIM_XCOM_FILE="/proc/no/file")
    assert result.status == 0
    assert "does not become an XCom" in result.err


def test_a_pod_starts_the_program_of_its_image(project):
    edit(project, "default_environment: dev\n",
         "default_environment: dev\n"
         "annotations: {meltshim: {airflow: {mode: kubernetes_pod, image: shop}}}\n")
    project("airflow", "generate")
    assert '"cmds": ["meltshim"],' in dag(project, "by-job.py")
    assert 'arguments=["run", "tap-a", "target-b"],' in dag(project, "by-job.py")
    explained = project("airflow", "explain", "by-job").out
    assert "image  " in explained and "project, meltano.yml:2" in explained
