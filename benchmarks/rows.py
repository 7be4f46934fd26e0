"""The result of a measure: rows, each a figure with its spread and its ratios in the same run.

A figure alone says what this machine did at that moment; a ratio says something of the code. A goal
stands beside what it is a goal of, and is met or not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A limit on a figure: from below, or from above."""

    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        if self == REPORTED:
            return "none"
        return f"≥ {self.at_least:,g}" if self.at_least is not None else f"≤ {self.at_most:,g}"

    def is_met_by(self, value: float) -> bool:
        """Say whether the figure keeps the limit."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is None or value <= self.at_most

    def judge(self, value: float) -> str:
        """Return what is to be said of the figure, in a word."""
        if self == REPORTED:
            return "reported"
        return "met" if self.is_met_by(value) else "MISSED"


#: In the place of a goal: the ratio stands among the goals, and nothing is asked of it.
REPORTED = Goal()


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A row's figure over that of another row of the same run."""

    value: float
    to: str
    goal: Goal | None = None

    @classmethod
    def of(
        cls, ours: Sequence[float], theirs: Sequence[float], *, to: str, goal: Goal | None = None
    ) -> Self:
        """Return the median of the rounds' ratios: both sides of one met the machine alike."""
        ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        return cls(value=median(ratios), to=to, goal=goal)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure.

    Attributes:
        what: what was measured, in words; unique in its measure.
        value: the median of the rounds.
        unit: of the value and of its spread.
        low, high: the least and the most of the rounds.
        ratios: to other rows of the same run.
        details: further figures, by their names with units.
    """

    what: str
    value: float
    unit: str
    low: float
    high: float
    goal: Goal | None = None
    ratios: Sequence[Ratio] = ()
    details: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, what: str, values: Sequence[float], unit: str, **more: Any) -> Self:
        """Return the row of what several rounds came to."""
        return cls(
            what=what, value=median(values), unit=unit, low=min(values), high=max(values), **more
        )

    def goals(self) -> Iterator[tuple[str, bool]]:
        """Yield each goal in words, and whether it is met."""
        if self.goal:
            yield f"{self.goal} {self.unit}", self.goal.is_met_by(self.value)
        for ratio in self.ratios:
            if ratio.goal:
                yield f"{ratio.goal}x {ratio.to}", ratio.goal.is_met_by(ratio.value)

    def fields(self) -> dict[str, Any]:
        """Return the row as another process makes it again."""
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Make the row of another process again."""
        ratios = [Ratio(**{**each, "goal": _goal(each["goal"])}) for each in fields["ratios"]]
        return cls(**{**fields, "goal": _goal(fields["goal"]), "ratios": ratios})

    def document(self) -> dict[str, Any]:
        """Return the row as JSON holds it."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
            "ratios": {ratio.to: ratio.value for ratio in self.ratios},
            "goals": dict(self.goals()),
            "details": dict(self.details),
        }


_HEADINGS = ("what", "median", "unit", "least to most", "ratios and goals", "and")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    return markdown([_HEADINGS, *(_cells(row) for row in rows)])


def markdown(cells: Sequence[Sequence[str]]) -> str:
    """Return lines of cells as a Markdown table, aligned so that a terminal shows it as well."""
    widths = [max(len(line[n]) for line in cells) for n in range(len(cells[0]))]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _goal(fields: Mapping[str, float] | None) -> Goal | None:
    return Goal(**fields) if fields else None


def _line(line: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
    return "| " + " | ".join(padded) + " |"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        figure(row.value),
        row.unit,
        span(row.low, row.high) if row.low != row.high else "",
        ", ".join(_judged(row)),
        ", ".join(f"{name} {figure(value)}" for name, value in row.details.items()),
    )


def _judged(row: Row) -> Iterator[str]:
    if row.goal:
        yield _said(row.goal, row.value)
    for ratio in row.ratios:
        goal = f" ({_said(ratio.goal, ratio.value)})" if ratio.goal else ""
        yield f"{ratio.value:.2f}x {ratio.to}{goal}"


def _said(goal: Goal, value: float) -> str:
    return f"goal {goal}: {goal.judge(value)}"


def span(low: float, high: float) -> str:
    """Return the least and the most; one figure where they look alike."""
    least, most = figure(low), figure(high)
    return f"{least} to {most}" if least != most else least


def figure(value: float) -> str:
    """Return a number with about three digits that count."""
    if abs(value) >= 100:  # noqa: PLR2004 - three digits before the point
        return f"{value:,.0f}"
    return f"{value:.3g}"
