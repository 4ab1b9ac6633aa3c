"""Targets that confirm early, late, out of order, or not at all: what is saved is what they said."""

import json

import pytest

TEN = [["schema", "users"], ["counted", "users", 10, 1]]


def confirm(number) -> str:
    return json.dumps({"bookmarks": {"users": {"id": number}}})


def test_a_confirmation_before_any_record_is_saved_as_it_was_said(lab):
    """Some targets confirm the state they began with; who says so answers for it."""
    result = lab.load(steps=TEN, target={"early_output": [confirm(7)], "confirm": False})
    assert result.status == 0
    assert lab.committed() == 7


def test_a_confirmation_at_the_very_end_is_saved(lab):
    result = lab.load(
        steps=TEN, target={"confirm": False, "late_output": [confirm(10)], "drain": 0.5}
    )
    assert result.status == 0
    assert lab.committed() == 10
    assert lab.versions() == 1


def test_a_confirmation_after_the_tap_failed_is_saved(lab):
    """The target drains what it was given before."""
    result = lab.load(
        steps=[*TEN, ["exit", 3]],
        target={"confirm": False, "late_output": [confirm(10)], "drain": 0.5},
    )
    assert result.status == 10
    assert lab.committed() == 10


def test_the_last_confirmation_counts_in_whatever_order_they_come(lab):
    """A target that goes back has its reasons: it is not for a runner to compare bookmarks."""
    result = lab.load(
        steps=TEN, target={"confirm": False, "late_output": [confirm(n) for n in (3, 9, 5)]}
    )
    assert result.status == 0
    assert lab.committed() == 5


def test_without_a_confirmation_nothing_is_saved(lab):
    result = lab.load(steps=TEN, target={"confirm": False})
    assert result.status == 0
    assert not lab.query("SELECT * FROM state")
    assert result.record["blocks"][0]["state"]["checkpoints"] == 0


def test_a_target_that_dies_without_confirming_leaves_the_state_of_before(lab):
    assert lab.load(steps=TEN).status == 0
    result = lab.load(steps=TEN, target={"confirm": False, "signal_after": 15})
    assert result.status == 12
    assert lab.committed() == 10


def test_a_confirmation_without_a_line_feed_is_saved_when_the_target_ends_well(lab):
    result = lab.load(steps=TEN, target={"confirm": False, "late_bytes": confirm(4)})
    assert result.status == 0
    assert lab.committed() == 4


@pytest.mark.parametrize("length", [1, 20, 34])
def test_half_a_confirmation_is_not_saved(lab, length):
    """The target died while it wrote it."""
    half = confirm(4)[:length]
    result = lab.load(steps=TEN, target={"confirm": False, "late_bytes": half, "end_code": 9})
    assert result.status == 12
    assert not lab.query("SELECT * FROM state")
    assert "state is invalid" in result.stderr


def test_thousands_of_confirmations_a_second_are_one_transaction_a_second(lab):
    result = lab.load(steps=[["schema", "users"], ["counted", "users", 20_000, 1]])
    assert result.status == 0
    assert lab.committed() == 20_000
    assert result.record["blocks"][0]["state"]["received"] == 20_000
    assert lab.versions() <= 2 + result.seconds
