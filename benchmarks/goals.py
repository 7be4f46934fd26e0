"""All goals of a run in one table: the measure, its figure, its ratio, the goal, met or missed.

What was measured with a fresh and with a warm receiver stands in one line, and the worse of both is
what is judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.rows import Goal, Row, markdown, span

_HEADINGS = ("measure", "what", "figure", "ratio", "goal", "")


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """A figure or a ratio that has a goal."""

    measure: str
    row: Row
    goal: Goal
    to: str = ""
    value: float

    @property
    def subject(self) -> tuple[str, str, str]:
        """One line of the table."""
        return self.measure, self.row.what.partition(";")[0], self.to


def table(measures: Mapping[str, Sequence[Row]]) -> str:
    """Return the goals of all measures as a Markdown table; empty if there are none."""
    lines: dict[tuple[str, str, str], list[_Judged]] = {}
    for each in _judged(measures):
        lines.setdefault(each.subject, []).append(each)
    return markdown([_HEADINGS, *(_cells(each) for each in lines.values())]) if lines else ""


def _judged(measures: Mapping[str, Sequence[Row]]) -> Iterator[_Judged]:
    for measure, rows in measures.items():
        for row in rows:
            if row.goal:
                yield _Judged(measure=measure, row=row, goal=row.goal, value=row.value)
            for ratio in row.ratios:
                if ratio.goal:
                    yield _Judged(
                        measure=measure, row=row, goal=ratio.goal, to=ratio.to, value=ratio.value
                    )


def _cells(same: Sequence[_Judged]) -> tuple[str, ...]:
    first = same[0]
    measure, what, to = first.subject
    values = [each.value for each in same]
    figures = [each.row.value for each in same]
    worst = min(values) if first.goal.at_least is not None else max(values)
    return (
        measure,
        what,
        f"{span(min(figures), max(figures))} {first.row.unit}",
        f"{span(min(values), max(values))}x {to}" if to else "",
        str(first.goal),
        first.goal.judge(worst),
    )
