"""The group 'state' on a real database."""

import json

import pytest

STATE_ID = "dev:tap-a-to-target-b"


def set_state(project, state: dict, state_id: str = STATE_ID) -> None:
    result = project("state", "set", "--force", state_id, json.dumps(state))
    assert result.status == 0, result.err


def get_state(project, state_id: str = STATE_ID):
    return json.loads(project("state", "get", state_id).out)


def bookmarks(**values) -> dict:
    return {"singer_state": {"bookmarks": values}}


def test_a_state_that_was_set_is_printed_in_one_line(project):
    set_state(project, bookmarks(users=1))
    result = project("state", "get", STATE_ID)
    assert result.out == '{"singer_state":{"bookmarks":{"users":1}}}\n'
    assert '\n  "singer_state"' in project("state", "get", "--format=pretty", STATE_ID).out


def test_numbers_keep_their_text(project):
    project("state", "set", "--force", "x", '{"singer_state": {"a": 0.10, "b": 1' + "0" * 40 + "}}")
    assert project("state", "get", "x").out == (
        '{"singer_state":{"a":0.10,"b":1' + "0" * 40 + "}}\n"
    )


def test_an_unknown_state_is_empty(project):
    result = project("state", "get", "nope")
    assert (result.status, result.out) == (0, "{}\n")


def test_merge_lays_over_and_set_replaces(project):
    set_state(project, bookmarks(users=1))
    project("state", "merge", STATE_ID, json.dumps(bookmarks(orders=2)))
    assert get_state(project) == bookmarks(users=1, orders=2)
    set_state(project, bookmarks(orders=3))
    assert get_state(project) == bookmarks(orders=3)


def test_merge_takes_the_state_of_another_id(project):
    set_state(project, bookmarks(users=1), "a")
    set_state(project, bookmarks(orders=1), "b")
    assert project("state", "merge", "--from-state-id=a", "b").status == 0
    assert get_state(project, "b") == bookmarks(users=1, orders=1)


def test_copy_and_move(project):
    set_state(project, bookmarks(users=1), "a")
    assert project("state", "copy", "--force", "a", "b").status == 0
    assert project("state", "move", "--force", "b", "c").status == 0
    assert project("state", "list").out.split() == ["a", "c"]
    assert get_state(project, "c") == bookmarks(users=1)
    assert project("state", "copy", "--force", "a", "a").status == 2


def test_list_shows_what_matches(project):
    for state_id in ("dev:a-to-b", "prod:a-to-b"):
        set_state(project, bookmarks(), state_id)
    assert project("state", "list", "--pattern", "dev:*").out == "dev:a-to-b\n"


def test_clear(project):
    set_state(project, bookmarks(users=1))
    set_state(project, bookmarks(users=1), "other")
    assert project("state", "clear", "--force", STATE_ID).status == 0
    assert get_state(project) == {}
    assert project("state", "clear", "--force", "nope").status == 0
    result = project("state", "clear", "--force", "--all")
    assert result.status == 0
    assert "1 state(s) were successfully cleared" in result.err
    for words in ([], ["x", "--all"]):
        assert project("state", "clear", "--force", *words).status == 2


def test_questions_are_asked_and_no_is_an_answer(project):
    state = json.dumps(bookmarks(users=1))
    result = project("state", "set", STATE_ID, state, stdin="n\n")
    assert result.status == 1
    assert "Continue? [y/N]: " in result.err and "Aborted." in result.err
    assert project("state", "set", STATE_ID, state).status == 1
    assert get_state(project) == {}
    assert project("state", "set", STATE_ID, state, stdin="y\n").status == 0
    assert get_state(project) == bookmarks(users=1)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("{", "Invalid JSON provided"),
        ("[1]", "A state is a JSON object, not a list."),
        ('{"bookmarks": {}}', "singer_state not found in top level of provided state"),
    ],
)
def test_what_is_no_state_is_refused(project, state, message):
    result = project("state", "set", "--force", STATE_ID, state)
    assert result.status == 22
    assert message in result.err
    assert get_state(project) == {}


def test_validation_can_be_left_out(project):
    assert project("state", "set", "--force", "--no-validate", "x", '{"a": 1}').status == 0
    assert get_state(project, "x") == {"a": 1}


def test_exactly_one_source(project, tmp_path):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(bookmarks(users=5)))
    result = project("state", "set", "--force", "x")
    assert result.status == 1
    assert "Must provide exactly one of: --input-file,STATE" in result.err
    assert project("state", "set", "--force", "x", "{}", "--input-file", str(path)).status == 1
    assert project("state", "set", "--force", "x", "--input-file", str(path)).status == 0
    assert get_state(project, "x") == bookmarks(users=5)


def test_edit(project):
    set_state(project, bookmarks(users=1))
    result = project("state", "edit", "--force", STATE_ID, EDITOR="sed -i s/1/2/")
    assert result.status == 0, result.err
    assert get_state(project) == bookmarks(users=2)
    assert "No changes detected" in project("state", "edit", "--force", STATE_ID, EDITOR="true").err
    assert project("state", "edit", "--force", STATE_ID, EDITOR="false").status == 1
    assert project("state", "edit", "--force", STATE_ID, VISUAL="sed -i s/{/[/").status == 22
    assert get_state(project) == bookmarks(users=2)


def test_export_and_import(project, tmp_path):
    set_state(project, bookmarks(users=1), "a")
    set_state(project, bookmarks(users=1), "b")
    project("state", "merge", "b", json.dumps(bookmarks(orders=2)))
    exported = project("state", "export").out
    assert json.loads(exported)["b"] == {
        "completed": bookmarks(users=1),
        "partial": bookmarks(orders=2),
    }
    project("state", "clear", "--force", "--all")
    assert project("state", "import", stdin=exported).status == 0
    assert project("state", "export").out == exported

    path = tmp_path / "states.json"
    path.write_text(exported)
    assert project("state", "import", str(path)).status == 0
    assert project("state", "import", stdin="[]").status == 2
    assert project("state", "import", stdin='{"a": {"completed": 5}}').status == 22
    assert project("state", "export").out == exported


def test_every_version_is_kept_and_can_be_restored(project):
    set_state(project, bookmarks(users=1))
    set_state(project, bookmarks(users=2))
    project("state", "merge", STATE_ID, json.dumps(bookmarks(**{"a.b": 3})))

    history = json.loads(project("state", "history", STATE_ID, "--format=json").out)
    assert [row["version"] for row in history] == [3, 2, 1]
    assert [row["kind"] for row in history] == ["partial", "complete", "complete"]
    assert len(project("state", "history", STATE_ID).out.splitlines()) == 4

    assert project("state", "diff", STATE_ID).out == '+ singer_state.bookmarks."a.b": 3\n'
    assert project("state", "diff", STATE_ID, "1", "2").out == (
        "- singer_state.bookmarks.users: 1\n+ singer_state.bookmarks.users: 2\n"
    )
    assert json.loads(project("state", "show", STATE_ID, "1").out) == bookmarks(users=1)
    named = project("state", "show", STATE_ID, "--version", "1")
    assert json.loads(named.out) == bookmarks(users=1)
    assert project("state", "show", STATE_ID, "1", "--version", "1").status == 2

    assert project("state", "rollback", "--force", STATE_ID, "1").status == 0
    assert get_state(project) == bookmarks(users=1)
    assert project("state", "rollback", "--force", STATE_ID, "3").status == 0
    assert get_state(project) == bookmarks(users=2, **{"a.b": 3})
    assert project("state", "rollback", "--force", STATE_ID, "--version=1").status == 0
    assert get_state(project) == bookmarks(users=1)
    assert project("state", "rollback", "--force", STATE_ID, "3").status == 0
    refused = project("state", "rollback", "--force", STATE_ID, "99")
    assert refused.status == 22
    assert f"The state of '{STATE_ID}' has no version 99." in refused.err
    assert project("state", "rollback", "--force", STATE_ID, "x").status == 2

    asked = project("state", "rollback", STATE_ID, stdin="n\n")
    assert "Version 6 will take the place of the state's current value." in asked.out + asked.err
    assert asked.status == 1
    assert get_state(project) == bookmarks(users=2, **{"a.b": 3})
    assert project("state", "rollback", STATE_ID, stdin="y\n").status == 0
    assert get_state(project) == bookmarks(users=1)


def test_state_can_be_kept_in_a_folder(project):
    uri = f"file://{project.directory}/states"
    state = json.dumps(bookmarks(users=1))
    assert project("state", "set", "--force", "x", state, MELTANO_STATE_BACKEND_URI=uri).status == 0
    out = project("state", "get", "x", MELTANO_STATE_BACKEND_URI=uri).out
    assert json.loads(out) == bookmarks(users=1)
    assert (project.directory / "states").is_dir()
    assert get_state(project, "x") == {}


def test_a_state_backend_that_is_not_built_is_refused(project):
    result = project("state", "list", MELTANO_STATE_BACKEND_URI="azure://secret:key@bucket/x")
    assert result.status == 1
    assert "state backend" in result.err
    assert "secret:key" not in result.err


def test_a_database_that_is_none_is_named(project):
    path = project.directory / "broken.db"
    path.write_text("this is no database" * 100)
    result = project("state", "list", "--database-uri", f"sqlite:///{path}")
    assert result.status == 20
    assert "broken.db" in result.err


def test_old_versions_can_be_forgotten(project):
    for number in range(1, 6):
        set_state(project, bookmarks(users=number))
    result = project("state", "prune", "--keep=2", STATE_ID)
    assert result.status == 0
    assert "3 old versions were removed." in result.err
    versions = json.loads(project("state", "history", "--format=json", STATE_ID).out)
    assert [version["version"] for version in versions] == [5, 4]
    assert json.loads(project("state", "show", STATE_ID, "4").out) == bookmarks(users=4)
    assert project("state", "show", STATE_ID, "3").status == 22
    assert project("state", "prune", "--keep=0").status == 2
