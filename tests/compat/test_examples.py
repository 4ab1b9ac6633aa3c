"""The example projects are Meltano projects: either program installs and runs them, and the other
goes on from there."""

import pytest

from support.examples import Example, environment, get_flights

MONTHS = {"2013-01": 27004, "2013-02": 24951, "2013-03": 28834}


def rows(text: str) -> dict[str, int]:
    lines = (line.split(": ") for line in text.splitlines())
    return {month: int(rest.split()[0]) for month, rest in lines}


@pytest.mark.parametrize("order", [[0, 1, 0], [1, 0, 1]], ids=["Meltano first", "meltshim first"])
def test_flights(programs, tmp_path, order):
    root = Example.copy("flights", tmp_path)
    env = environment(
        HOME=str(tmp_path),
        MELTANO_SEND_ANONYMOUS_USAGE_STATS="false",
        MELTANO_CLI_DISABLE_VERSION_CHECK="1",
    )
    installed = programs[order[0]].run(["install"], root, env)
    assert installed.status == 0, installed.stderr
    loaded = {}
    for number, (month, flights) in zip(order, MONTHS.items(), strict=True):
        get_flights(root, int(month[-2:]))
        done = programs[number].run(["run", "tap-flights", "add-route", "target-duckdb"], root, env)
        assert done.status == 0, done.stderr
        loaded[month] = flights
        for program in programs:
            report = program.run(["invoke", "report:rows"], root, env)
            assert rows(report.stdout) == {**loaded, "all": sum(loaded.values())}, report.stderr
