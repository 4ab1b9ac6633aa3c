"""A thousand random projects: their DAG files hold literals only, and these are the right ones."""

import ast
import datetime
import random
import shlex

import jinja2.sandbox
import pytest

PROJECTS = 1000
BATCHES = 10
PIECES = [
    "a", "B", "9", "é", "日", "\U0001f600", " ", "  ", "\n", "\r", "\t", "\x01", "\x7f", "\x85",
    "\u2028", "'", '"', '"""', "\\", "\\n", "$", "`", "{", "}", "{{", "}}", "{%", "%}", "{#", "#}",
    "{{ x }}", "' }}", "{{ '", "raw", ".sh", ".bash", "-", "#", ";", "&", "|", "*", "~", "!", "%s",
    "(", ")", "coding: latin-1", "import os",
]
SCHEDULES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@once": None,
    "@none": None,
    None: None,
    "*/7 3-5 L * mon-fri": "*/7 3-5 L * mon-fri",
    "0 0 * * sat-mon": "0 0 * * 6,0,1",
}


def random_text(source: random.Random, longest: int = 8) -> str:
    return "".join(source.choices(PIECES, k=source.randint(1, longest)))


def random_words(source: random.Random) -> list[str]:
    words = (random_text(source, 4).replace(" ", "_") for _ in range(source.randint(1, 4)))
    return list(words)


def random_schedule(source: random.Random, number: int, jobs: list[dict]) -> dict:
    schedule = {
        "name": f"{number} {random_text(source)}"[:60],
        "interval": source.choice(list(SCHEDULES)),
        "env": {f"V{i}": random_text(source) for i in range(source.randint(0, 4))},
        "annotations": {"meltshim": {"airflow": {
            "dag_id": f"dag_{number}",
            "description": random_text(source),
            "tags": [random_text(source, 4) for _ in range(source.randint(0, 3))],
            "owner": random_text(source, 3),
            "pool": random_text(source, 3),
            "retries": source.randint(0, 9),
            "retry_delay": source.randint(0, 10**6),
            "priority_weight": source.randint(-(2**31), 2**31 - 1),
            "depends_on_past": source.random() < 0.5,
        }}},
    }
    if source.random() < 0.6:
        schedule["job"] = source.choice(jobs)["name"]
    else:
        schedule |= {"extractor": random_text(source, 4), "loader": random_text(source, 4),
                     "transform": "skip"}
    return schedule


def random_project(source: random.Random) -> dict:
    jobs = [
        {"name": f"{number}{random_text(source, 5)}",
         "tasks": [random_words(source) for _ in range(source.randint(1, 4))]}
        for number in range(2)
    ]
    return {
        "jobs": jobs,
        "schedules": [random_schedule(source, number, jobs) for number in range(2)],
    }


class DagFile:
    """What a DAG file says, read without running it; anything that is no literal is an error."""

    def __init__(self, text: str):
        self.operators: dict[str, dict] = {}
        self.edges: list[tuple[str, str]] = []
        *imports, block = ast.parse(text).body
        for statement in imports:
            self.check_import(statement)
        assert isinstance(block, ast.With)
        [item] = block.items
        assert item.context_expr.func.id == "DAG" and not item.context_expr.args
        self.arguments = self.keywords(item.context_expr)
        for statement in block.body:
            self.read_statement(statement)

    def check_import(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Try):
            for inner in statement.body + statement.handlers[0].body:
                self.check_import(inner)
            return
        assert isinstance(statement, (ast.Import, ast.ImportFrom))
        names = [alias.name for alias in statement.names]
        module = getattr(statement, "module", None) or names[0]
        assert module.split(".")[0] in ("airflow", "datetime", "pendulum")

    def read_statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Assign):
            [target] = statement.targets
            self.add_operator(target.id, statement.value)
        elif isinstance(statement.value, ast.Call):
            self.add_operator("", statement.value)
        else:
            self.read_chain(statement.value)

    def add_operator(self, name: str, call: ast.Call) -> None:
        assert call.func.id == "BashOperator" and not call.args
        assert name not in self.operators
        self.operators[name] = self.keywords(call)

    def read_chain(self, value: ast.expr) -> str:
        """Returns the last name of a >> b >> c."""
        if isinstance(value, ast.Name):
            return value.id
        assert isinstance(value, ast.BinOp) and isinstance(value.op, ast.RShift)
        self.edges.append((self.read_chain(value.left), value.right.id))
        return value.right.id

    def keywords(self, call: ast.Call) -> dict:
        return {keyword.arg: self.literal(keyword.value) for keyword in call.keywords}

    def literal(self, value: ast.expr):
        if isinstance(value, ast.Call):
            assert not [keyword for keyword in value.keywords if keyword.arg is None]
            arguments = [ast.literal_eval(argument) for argument in value.args]
            keywords = {item.arg: ast.literal_eval(item.value) for item in value.keywords}
            if isinstance(value.func, ast.Name):
                assert value.func.id == "timedelta"
                return datetime.timedelta(*arguments, **keywords)
            assert ast.unparse(value.func) == "pendulum.datetime"
            assert keywords == {"tz": "UTC"}
            return datetime.datetime(*arguments)
        if isinstance(value, ast.Dict):
            return {
                ast.literal_eval(key): self.literal(item)
                for key, item in zip(value.keys, value.values, strict=True)
            }
        return ast.literal_eval(value)


jinja = jinja2.sandbox.SandboxedEnvironment(undefined=jinja2.StrictUndefined, cache_size=0)


def as_airflow_renders(text: str) -> str:
    assert not text.endswith((".sh", ".bash")), "Airflow would look for a file"
    return jinja.from_string(text).render()


def check_file(file: DagFile, schedule: dict, jobs: dict, root, program) -> None:
    options = schedule["annotations"]["meltshim"]["airflow"]
    arguments, defaults = file.arguments, file.arguments["default_args"]

    assert arguments["dag_id"] == options["dag_id"]
    assert arguments["description"] == options["description"]
    assert arguments["schedule"] == SCHEDULES[schedule["interval"]]
    assert arguments["start_date"] == datetime.datetime(2024, 1, 1)
    assert (arguments["catchup"], arguments["max_active_runs"]) == (False, 1)
    assert set(options["tags"]) < set(arguments["tags"])
    assert f"schedule:{schedule['name']}" in arguments["tags"]
    for name in ("owner", "pool", "retries", "priority_weight", "depends_on_past"):
        assert defaults[name] == options[name]
    assert defaults["retry_delay"] == datetime.timedelta(seconds=options["retry_delay"])
    assert defaults["append_env"] is True
    assert defaults["cwd"] == str(root)
    env = {name: as_airflow_renders(text) for name, text in defaults["env"].items()}
    assert env == {"SHLVL": "1", **schedule["env"]}

    if "job" in schedule:
        words = [["run", *task] for task in jobs[schedule["job"]]["tasks"]]
    else:
        words = [["schedule", "run", schedule["name"]]]
    commands = [
        shlex.split(as_airflow_renders(operator["bash_command"]))
        for operator in file.operators.values()
    ]
    assert commands == [["exec", str(program), *task] for task in words]
    ids = [operator["task_id"] for operator in file.operators.values()]
    assert len(set(ids)) == len(ids)
    names = list(file.operators)
    assert file.edges == list(zip(names, names[1:]))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_files_of_random_projects_hold_the_right_literals(make_project, batch):
    source = random.Random(batch)
    for number in range(PROJECTS // BATCHES):
        document = random_project(source)
        project = make_project(document, name=f"project-{number}")
        project.dags = project.root / "dags"
        project.generate()
        jobs = {job["name"]: job for job in document["jobs"]}
        for schedule in document["schedules"]:
            dag_id = schedule["annotations"]["meltshim"]["airflow"]["dag_id"]
            file = DagFile((project.dags / f"{dag_id}.py").read_text())
            check_file(file, schedule, jobs, project.root, project.program)
