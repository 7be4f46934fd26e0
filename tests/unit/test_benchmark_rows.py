"""What becomes of the rows of a run: their goals are judged."""

from dataclasses import replace

from benchmarks import goals
from benchmarks.rows import REPORTED, Goal, Ratio, Row

GOAL = Goal(at_least=0.8)


def row(value: float, what: str = "worker; fresh receiver", *, ratio: float = 1.0) -> Row:
    """Return a row with a ratio that has a goal."""
    return Row.of(
        what, [value], "deliveries/s", ratios=[Ratio(value=ratio, to="pyreqwest", goal=GOAL)]
    )


def test_the_worse_of_two_receivers_is_judged() -> None:
    rows = [row(1.0, ratio=0.9), row(1.0, "worker; warm receiver", ratio=0.7)]
    (line,) = goals.table({"delivery": rows}).splitlines()[2:]
    assert "0.7 to 0.9x pyreqwest" in line
    assert "MISSED" in line


def test_a_figure_without_a_goal_of_its_own_is_reported() -> None:
    reported = replace(row(1.0), ratios=[Ratio(value=1.3, to="one worker", goal=REPORTED)])
    (line,) = goals.table({"workers": [reported]}).splitlines()[2:]
    assert "reported" in line
