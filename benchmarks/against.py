"""Two checkouts in one run: each measures the same in turn, round by round.

A row of this tree gets a ratio to the same row of the other, and one of their CPU where both have
it. The other checkout's own rows follow, with its ratios to what it is compared with.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Final, Self

from benchmarks import environments
from benchmarks.checkouts import Checkout
from benchmarks.processes import Child
from benchmarks.rows import Goal, Ratio, Row

#: What is expected of this tree beside the commit from which the work on speed began: for each
#: measure, words of a row's name and its goal.
_GOALS: Final[Mapping[str, Mapping[str, Goal]]] = {
    "emission": {"SQLite, 1 a transaction": Goal(at_least=1.8)},
    "commands": {"trigger --no-deliver": Goal(at_most=0.7)},
    "server": {"SQLite, 32 clients": Goal(at_least=1.3), "SQLite, 200 clients": Goal(at_least=1.3)},
    "suites": {"assert": Goal(at_most=0.67)},
}
#: The detail that is compared beside the figure, and what it is called then.
CPU: Final = "µs of CPU each"
#: So long may one round of one measure take.
_PATIENCE_SECONDS: Final = 3600.0


@dataclass(frozen=True, kw_only=True)
class Side:
    """A checkout and the process that measures it."""

    checkout: Checkout
    child: Child

    def measured(self, measure: str) -> list[Row]:
        """Return the rows of one round."""
        told = self.child.ask(measure, patience_seconds=_PATIENCE_SECONDS)
        return [Row.from_fields(each) for each in told["rows"]]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """This tree, and another."""

    present: Side
    other: Side

    @classmethod
    @contextmanager
    def opened(cls, commit: str, options: Mapping[str, Any]) -> Iterator[Self]:
        """Check a commit out, and start a process for each; nothing is left behind the block."""
        with ExitStack() as stack:
            other = stack.enter_context(Checkout.of(commit))
            sides = [
                Side(checkout=each, child=stack.enter_context(_running(each, options)))
                for each in (Checkout.present(), other)
            ]
            yield cls(present=sides[0], other=sides[1])

    def measured(self, measure: str, rounds: int) -> tuple[list[Row], list[Row]]:
        """Measure by turns; return this tree's rows with their ratios, and the other's."""
        ours: list[list[Row]] = []
        theirs: list[list[Row]] = []
        turns = [(self.present, ours), (self.other, theirs)]
        for _ in range(rounds):
            for side, rows in turns:
                rows.append(side.measured(measure))
            # Each is the first as often as the other: what comes second meets a warmer machine.
            turns.reverse()
        return compared(measure, ours, theirs, self.other.checkout.name), joined(theirs)


@contextmanager
def _running(checkout: Checkout, options: Mapping[str, Any]) -> Iterator[Child]:
    environments.compile_bytecode(checkout.python, checkout.root)
    with Child.running(
        "side",
        dict(options),
        python=checkout.python,
        root=checkout.root,
        environment=environments.variables(checkout.root),
    ) as child:
        try:
            yield child
        finally:
            # A side has a PostgreSQL server, which would outlive it if it was killed.
            child.end()


def joined(rounds: Sequence[Sequence[Row]]) -> list[Row]:
    """Return a row of the medians for each row of the rounds."""
    return [_median(same) for same in zip(*rounds, strict=True)]


def _median(same: Sequence[Row]) -> Row:
    values = [row.value for row in same]
    ratios = [
        replace(ratio, value=median(row.ratios[n].value for row in same))
        for n, ratio in enumerate(same[0].ratios)
    ]
    details = {key: median(row.details[key] for row in same) for key in same[0].details}
    return replace(
        same[0],
        value=median(values),
        low=min(values),
        high=max(values),
        ratios=ratios,
        details=details,
    )


def compared(
    measure: str, ours: Sequence[Sequence[Row]], theirs: Sequence[Sequence[Row]], name: str
) -> list[Row]:
    """Return a row for each of ours, with its ratios to the same row of a checkout of that name."""
    others = {same[0].what: same for same in zip(*theirs, strict=True)}
    goals = _GOALS.get(measure, {})
    rows = []
    for same in zip(*ours, strict=True):
        what = same[0].what
        goal = next((each for words, each in goals.items() if words in what), None)
        more = _ratios(same, others.get(what, ()), name, goal)
        row = _median(same)
        rows.append(replace(row, ratios=[*row.ratios, *more]))
    return rows


def _ratios(
    ours: Sequence[Row], theirs: Sequence[Row], name: str, goal: Goal | None
) -> Iterator[Ratio]:
    """Yield the ratios to the other checkout's row, if it has one."""
    if not theirs:
        return
    values = [row.value for row in ours], [row.value for row in theirs]
    yield Ratio.of(*values, to=name, goal=goal)
    if CPU in ours[0].details and CPU in theirs[0].details:
        used = [row.details[CPU] for row in ours], [row.details[CPU] for row in theirs]
        yield Ratio.of(*used, to=f"{name}'s CPU")
