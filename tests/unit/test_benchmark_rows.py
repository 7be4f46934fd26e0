"""Rows of a run: two checkouts joined, goals judged, documents of both."""

from dataclasses import replace

import pytest

from benchmarks import against, goals
from benchmarks.rows import REPORTED, Goal, Ratio, Row

GOAL = Goal(at_least=0.8)


def row(value: float, what: str = "worker; fresh receiver", *, ratio: float = 1.0) -> Row:
    """Return a row with a ratio that has a goal."""
    return Row.of(
        what,
        [value],
        "deliveries/s",
        ratios=[Ratio(value=ratio, to="pyreqwest", goal=GOAL)],
        details={against.CPU: value / 10},
    )


def test_a_row_is_made_again_from_its_fields() -> None:
    assert Row.from_fields(row(5.0).fields()) == row(5.0)


def test_rounds_are_joined_to_their_medians_and_spread() -> None:
    rounds = [[row(value, ratio=value)] for value in (3.0, 1.0, 2.0)]
    (joined,) = against.joined(rounds)
    assert (joined.low, joined.value, joined.high) == (1.0, 2.0, 3.0)
    assert joined.ratios[0].value == 2.0
    assert joined.details[against.CPU] == pytest.approx(0.2)


def test_a_ratio_to_another_checkout_is_of_the_same_round() -> None:
    ours, theirs = [[row(4.0)], [row(90.0)]], [[row(2.0)], [row(45.0)]]
    (compared,) = against.compared("delivery", ours, theirs, "abc")
    ratios = {ratio.to: ratio.value for ratio in compared.ratios}
    assert ratios["abc"] == pytest.approx(2.0)
    assert ratios["abc's CPU"] == pytest.approx(2.0)


def test_a_row_that_the_other_checkout_lacks_has_no_ratio_to_it() -> None:
    (compared,) = against.compared("delivery", [[row(4.0)]], [[row(2.0, "another")]], "abc")
    assert [ratio.to for ratio in compared.ratios] == ["pyreqwest"]


def test_a_ratio_to_another_commit_is_a_goal() -> None:
    emitted = row(4.0, "SQLite, 1 a transaction")
    (compared,) = against.compared("emission", [[emitted]], [[emitted]], "abc")
    assert any(words == "≥ 1.8x abc" and not is_met for words, is_met in compared.goals())


def test_the_worse_of_two_receivers_is_judged() -> None:
    rows = [row(1.0, ratio=0.9), row(1.0, "worker; warm receiver", ratio=0.7)]
    (line,) = goals.table({"delivery": rows}).splitlines()[2:]
    assert "0.7 to 0.9x pyreqwest" in line
    assert "MISSED" in line


def test_a_figure_without_a_goal_of_its_own_is_reported() -> None:
    reported = replace(row(1.0), ratios=[Ratio(value=1.3, to="one worker", goal=REPORTED)])
    (line,) = goals.table({"workers": [reported]}).splitlines()[2:]
    assert "reported" in line
