"""Random intervals of Meltano: every Airflow finds the same times in what we make of them."""

import json
import random
import subprocess
from pathlib import Path

from support.paths import venv_bin

HERE = Path(__file__).parent
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
DAY, MONTH, WEEKDAY = 2, 3, 4
NAMES = {
    MONTH: "jan feb mar apr may jun jul aug sep oct nov dec".split(),
    WEEKDAY: "sun mon tue wed thu fri sat".split(),
}


def spell(source: random.Random, field: int, value: int) -> str:
    if field in NAMES and source.random() < 0.3:
        return source.choice([str.lower, str.upper])(NAMES[field][value - RANGES[field][0]])
    if field == WEEKDAY and value == 0 and source.random() < 0.3:
        return "7"
    return f"{value:02}" if source.random() < 0.1 else str(value)


def random_element(source: random.Random, field: int) -> tuple[str, set[int]]:
    """The text, and the values it stands for."""
    low, high = RANGES[field]
    whole = list(range(low, high + 1))
    first, last = source.choice(whole), source.choice(whole)
    step = source.randint(1, 9)
    kind = source.choice(["value", "range", "stepped range", "all", "stepped all", "stepped rest"])
    if kind == "value":
        return spell(source, field, first), {first}
    if kind == "all":
        return "*", set(whole)
    if kind == "stepped all":
        return f"*/{step}", set(whole[::step])
    if kind == "stepped rest":
        text = spell(source, field, first)
        if field == WEEKDAY and text == "7":  # Sunday, and then the week is over
            return f"{text}/{step}", {0}
        return f"{text}/{step}", set(range(first, high + 1, step))
    begin, end = spell(source, field, first), spell(source, field, last)
    if kind == "stepped range" and first < last and (field != WEEKDAY or "7" not in (begin, end)):
        return f"{begin}-{end}/{step}", set(range(first, last + 1, step))
    if field == WEEKDAY and first == 0 and begin != "7" and end == "7":
        return f"{begin}-7", set(whole)  # from Sunday to the next
    around = whole[whole.index(first):] + whole[:whole.index(first)]
    return f"{begin}-{end}", set(around[:around.index(last) + 1])


def random_field(source: random.Random, field: int) -> tuple[str, set[int]]:
    if field in (DAY, WEEKDAY) and source.random() < 0.2:
        return "?", set(range(RANGES[field][0], RANGES[field][1] + 1))
    elements = [random_element(source, field) for _ in range(source.choice([1, 1, 1, 2, 3]))]
    return ",".join(text for text, _ in elements), set().union(*(values for _, values in elements))


def random_interval(source: random.Random) -> tuple[str, list[set[int]]]:
    while True:
        fields = [random_field(source, field) for field in range(5)]
        # Not a day that no month has.
        if min(fields[DAY][1]) <= 29:
            return " ".join(text for text, _ in fields), [values for _, values in fields]


def list_crons(meltshim: Path, root: Path) -> list[str]:
    done = subprocess.run(
        [meltshim, "--project-root", root, "airflow", "list", "--format=json"],
        stdout=subprocess.PIPE, check=True, timeout=60,
    )
    return [dag["cron"] for dag in json.loads(done.stdout)["dags"]]


def expand(venv: str, crons: list[str]) -> list[dict]:
    done = subprocess.run(
        [venv_bin(venv) / "python", HERE / "expand_cron.py"],
        input=json.dumps(crons), stdout=subprocess.PIPE, text=True, check=True, timeout=120,
    )
    return json.loads(done.stdout)


def test_every_airflow_finds_the_same_times(make_project):
    source = random.Random(5)
    intervals = [random_interval(source) for _ in range(1000)]
    project = make_project({
        "schedules": [
            {"name": str(number), "interval": text, "extractor": "t", "loader": "l",
             "transform": "skip"}
            for number, (text, _) in enumerate(intervals)
        ],
    })
    crons = list_crons(project.meltshim, project.root)
    for venv in ("airflow", "airflow2", "airflow27"):
        for (text, expected), cron, found in zip(intervals, crons, expand(venv, crons),
                                                 strict=True):
            values = [
                set(range(low, high + 1)) if field == ["*"] else set(field)
                for field, (low, high) in zip(found["fields"], RANGES, strict=True)
            ]
            assert values == expected, f"{venv}: '{text}' became '{cron}'"


def test_days_counted_within_the_month(make_project):
    intervals = ["0 0 L * *", "0 0 15,L * *", "0 0 * * fri#2", "0 0 * * L1", "0 0 * * 7#1,3#5"]
    project = make_project({
        "schedules": [
            {"name": str(number), "interval": text, "extractor": "t", "loader": "l",
             "transform": "skip"}
            for number, text in enumerate(intervals)
        ],
    })
    crons = list_crons(project.meltshim, project.root)
    for venv in ("airflow", "airflow2", "airflow27"):
        last, two, second, end, several = expand(venv, crons)
        assert last["fields"][DAY] == ["l"]
        assert two["fields"][DAY] == [15, "l"]
        assert second["nth"] == {"5": ["2"]}
        assert end["nth"] == {"1": ["l"]}
        assert several["nth"] == {"0": ["1"], "3": ["5"]}
