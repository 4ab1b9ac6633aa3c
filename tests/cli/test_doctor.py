"""airflow doctor where there is no Airflow: what files and the project alone can tell."""

import json
import os

GENERATOR = """\
import json, subprocess
PROJECT_ROOT = os.getenv("MELTANO_PROJECT_ROOT", os.getcwd())
result = subprocess.run([executable, "schedule", "list", "--format=json"], cwd=PROJECT_ROOT)
"""


def findings(project, *arguments: str, **env: str) -> dict[str, list]:
    answer = json.loads(project("airflow", "doctor", "--format=json", *arguments, **env).out)
    found = {}
    for row in answer["findings"]:
        found.setdefault(row["check"], []).append((row["level"], row["message"], row["mend"]))
    return found


def test_no_airflow(project):
    project("airflow", "generate")
    result = project("airflow", "doctor")
    assert (result.status, result.out) == (
        1,
        "wrong  airflow        there is no Airflow: no plugin 'airflow' in the project, no "
        "'airflow' on the PATH\n"
        "                      > meltshim airflow doctor --airflow=/path/to/airflow\n"
        "ok     files          2, up to date\n"
        f"ok     run-link       {project.directory}/.meltano/run/bin is meltshim\n"
        "ok     runs           none is in the way\n"
        "1 wrong, 0 to note\n",
    )


def test_a_plugin_that_is_not_installed(project):
    path = project.directory / "meltano.yml"
    path.write_text(path.read_text().replace(
        "  utilities:\n",
        "  utilities:\n  - name: airflow\n    namespace: airflow\n    executable: airflow\n"
        "    pip_url: apache-airflow\n",
    ))
    assert findings(project)["airflow"] == [
        ("wrong", "the project's plugin 'airflow' is not installed",
         "meltshim install --plugin-type utility airflow"),
    ]


def test_files_that_are_stale(project):
    project("airflow", "generate")
    path = project.directory / "meltano.yml"
    path.write_text(path.read_text().replace("'@daily'", "'@hourly'"))
    assert findings(project)["files"] == [
        ("wrong", f"{project.directory}/orchestrate/dags: 0 missing, 1 stale, 0 left over",
         "meltshim airflow generate")
    ]


def test_a_stock_generator_beside_our_files(project):
    folder = project.directory / "orchestrate" / "dags" / "old"
    folder.mkdir(parents=True)
    (folder / "meltano.py").write_text(GENERATOR)
    assert "generators" not in findings(project)
    project("airflow", "generate")
    assert findings(project)["generators"] == [
        ("wrong", f"{folder}/meltano.py makes the DAGs of the project's schedules a second time",
         f"rm {folder}/meltano.py")
    ]


def test_the_link_that_stock_generators_call(project):
    project("airflow", "generate")
    link = project.directory / ".meltano" / "run" / "bin"
    assert os.readlink(link) == str(project.program)
    link.unlink()
    link.symlink_to("/bin/true")
    mend = f"ln -sfn {project.program} {link}"
    true = os.path.realpath("/bin/true")
    assert findings(project)["run-link"] == [("note", f"{link} is another Meltano, {true}", mend)]
    (project.directory / "orchestrate" / "dags" / "meltano.py").write_text(GENERATOR)
    assert findings(project)["run-link"] == [
        ("note", f"{link} is another Meltano, {true}, and the stock generator calls that one", mend)
    ]
    link.unlink()
    link.symlink_to("gone")
    assert findings(project)["run-link"][0][0] == "wrong"


def test_an_airflow_that_cannot_be_started(project):
    (project.directory / "airflow.cfg").write_text("")
    program = project.directory / "broken"
    program.write_text("#!/usr/bin/python3\n")
    program.chmod(0o755)
    [(level, message, mend)] = findings(
        project, f"--airflow={program}", AIRFLOW_HOME=str(project.directory)
    )["airflow"]
    assert (level, mend) == ("wrong", f"{program} version")
    assert message.startswith("Airflow's configuration cannot be read (exit status 1): ")
    assert message.endswith("No module named 'airflow'")
