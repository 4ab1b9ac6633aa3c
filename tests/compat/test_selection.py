"""The catalog that the tap is given, for all kinds of rules."""

import pytest

# What is set on the tap in meltano.yml.
RULES = {
    "nothing": {},
    "one stream": {"select": ["users.*"]},
    "one property": {"select": ["users.name"]},
    "nested property": {"select": ["users.address.city"]},
    "nested object": {"select": ["users.address.geo.*"]},
    "exclusion": {"select": ["*.*", "!users.email"]},
    "exclusion first": {"select": ["!users.email", "*.*"]},
    "exclusion of a stream": {"select": ["*.*", "!events.*"]},
    "exclusion only": {"select": ["!users.email"]},
    "exclusion of a nested object": {"select": ["*.*", "!users.address"]},
    "exclusion of nested properties": {"select": ["*.*", "!users.address.*"]},
    "wildcards": {"select": ["*s.*_id", "u*.n?me"]},
    "character class": {"select": ["users.[en]*"]},
    "dash in a name": {"select": ["db-orders.user_id"]},
    "dot in a name": {"select": ["events.payload\\.body"]},
    "no such stream": {"select": ["nobody.*"]},
    "unsupported property": {"select": ["users.tags"]},
    "automatic property excluded": {"select": ["*.*", "!users.id"]},
    "filter": {"select_filter": ["users"]},
    "filter with exclusion": {"select_filter": ["!users"]},
    "filter with wildcard": {"select": ["*.*"], "select_filter": ["db-*"]},
    "metadata of a stream": {
        "metadata": {"users": {"replication-method": "INCREMENTAL", "replication-key": "id"}}
    },
    "metadata of a property": {"metadata": {"users": {"name": {"is-replication-key": True}}}},
    "metadata of many": {"metadata": {"*": {"replication-method": "FULL_TABLE"}}},
    "metadata with a number": {"metadata": {"users": {"batch": 5, "ratio": 0.1}}},
    "metadata of a missing property": {"metadata": {"users": {"ghost": {"x": 1}}}},
    "metadata selects": {"metadata": {"users": {"name": {"selected": False}}}},
    "schema of a property": {"schema": {"users": {"name": {"type": ["integer", "null"]}}}},
    "schema of a missing property": {"schema": {"users": {"born": {"type": "string"}}}},
    "schema of many": {"schema": {"*": {"id": {"type": "string", "format": "uuid"}}}},
    "everything at once": {
        "select": ["users.*", "db-*.amount", "!users.email"],
        "select_filter": ["users"],
        "metadata": {"users": {"replication-key": "name"}},
        "schema": {"users": {"email": {"type": ["string"]}}},
    },
}


def set_rules(rules: dict):
    def change(definition):
        definition["plugins"]["extractors"][0].update(rules)

    return change


def tap(definition: dict) -> dict:
    return definition["plugins"]["extractors"][0]


@pytest.mark.parametrize("case", RULES)
def test_catalog(labs, case):
    results = []
    for lab in labs:
        lab.edit(set_rules(RULES[case]))
        results.append(lab.run("run", "tap", "target"))
    expected, actual = results
    assert (actual.status == 0) == (expected.status == 0), actual.stderr
    expected, actual = (lab.seen("tap")["given"]["--catalog"] for lab in labs)
    assert actual == expected


@pytest.mark.parametrize("capabilities", [
    ["catalog", "discover", "state"],
    ["properties", "discover", "state"],
    ["catalog", "discover"],
    ["discover", "state"],
    ["catalog", "state"],
    ["state"],
    [],
], ids=lambda capabilities: ", ".join(capabilities) or "none")
def test_capabilities(labs, capabilities):
    """Which files the tap gets, at its first run and at its second."""
    results = []
    for lab in labs:
        lab.edit(lambda definition: tap(definition).update(capabilities=capabilities))
        results.append([(lab.run("run", "tap", "target"), lab.seen("tap")) for _ in range(2)])
    for (expected, expected_trace), (actual, trace) in zip(*results, strict=True):
        assert (actual.status == 0) == (expected.status == 0), actual.stderr
        assert (trace and trace["given"]) == (expected_trace and expected_trace["given"])


@pytest.mark.parametrize("case", RULES)
def test_select_list(labs, case):
    answers = []
    for lab in labs:
        lab.edit(set_rules(RULES[case]))
        answers.append(lab.succeed("select", "tap", "--list", "--all", "--json").stdout)
    assert answers[1] == answers[0]


def test_catalog_given_by_hand(labs):
    for lab in labs:
        catalog = (lab.root / "catalog.json").read_text().replace("email", "mail")
        (lab.root / "own.json").write_text(catalog)
        lab.edit(lambda definition: tap(definition).update(catalog="own.json"))
        lab.succeed("run", "tap", "target")
    expected, actual = (lab.seen("tap")["given"]["--catalog"] for lab in labs)
    assert actual == expected


def test_state_given_by_hand(labs):
    for lab in labs:
        (lab.root / "own.json").write_text('{"bookmarks": {"users": {"id": 41}}}')
        lab.edit(lambda definition: tap(definition).update(state="own.json"))
        lab.succeed("run", "tap", "target")
        assert lab.records("users") == [42, 43]
