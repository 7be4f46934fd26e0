"""Events recorded a second: each with its signature, its finished body, its delivery and journal.

One event a transaction, as a single action does, or a hundred, as an import does. Beside them the
ceiling: the driver alone inserts the same finished rows.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.databases import Store
from benchmarks.filling import Owed
from benchmarks.processes import Child
from benchmarks.receiver import url_of
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run

_TOGETHER = 100
_PRODUCTS = 100
_GOAL = Goal(at_least=0.65)

#: What a process told, and how many events it was about.
Told = dict[str, Any]


def measure(run: Run) -> list[Row]:
    """Return the rows of each database."""
    return [row for store in run.stores for row in _rows(run, store)]


def _rows(run: Run, store: Store) -> list[Row]:
    named = f"{store.name}, {_TOGETHER} a transaction"
    bare = f"{named}, the driver alone inserts finished rows"
    recorded = _recorded_rows(run, store, named)
    told: dict[str, list[Told]] = {name: [] for name in (*recorded, bare)}
    many = run.size(30_000, 300)
    for _ in range(run.rounds):
        for name, how in recorded.items():
            told[name].append(_recorded(store, run, how))
        told[bare].append(_inserted(store, run, events=many))
    return [_row(name, each, told[bare], is_bare=name == bare) for name, each in told.items()]


def _recorded_rows(run: Run, store: Store, named: str) -> dict[str, dict[str, Any]]:
    """Return how events are recorded, by the name of the row."""
    many, few = run.size(30_000, 300), run.size(2_000, 50)
    rows = {
        f"{named}, of one product": {"events": many, "together": _TOGETHER, "spread": False},
        f"{store.name}, 1 a transaction": {"events": few, "together": 1, "spread": True},
    }
    if not run.is_quick:
        of_many = {"events": many, "together": _TOGETHER, "spread": True}
        rows[f"{named}, of {_PRODUCTS} products"] = of_many
    return rows


def _row(name: str, told: Sequence[Told], bare: Sequence[Told], *, is_bare: bool) -> Row:
    rates = [each["events"] / each["seconds"] for each in told]
    goal = _GOAL if name.endswith("of one product") else None
    alone = [each["events"] / each["seconds"] for each in bare]
    ratio = Ratio.of(rates, alone, to="the driver alone", goal=goal)
    used = median(each["cpu_seconds"] / each["events"] * 1e6 for each in told)
    return Row.of(
        name, rates, "events/s", ratios=[] if is_bare else [ratio], details={"µs of CPU each": used}
    )


def _products(run: Run) -> Owed:
    return Owed(products=_PRODUCTS, events=0, url=url_of(run.port))


def _recorded(store: Store, run: Run, how: dict[str, Any]) -> Told:
    owed = _products(run)
    with (
        store.copied(owed.key, owed.fill) as db,
        Child.running("recording", {"db": db, **how}) as it,
    ):
        return {**it.ask(), "events": how["events"]}


def _inserted(store: Store, run: Run, *, events: int) -> Told:
    """Let the driver alone insert into a database that has the products already."""
    owed = _products(run)
    how = {"events": events, "together": _TOGETHER, "spread": False}
    with store.copied(owed.key, owed.fill) as source, store.copied(owed.key, owed.fill) as db:
        with Child.running("recording", {"db": source, **how}) as recording:
            recording.ask()
        options = {"db": db, "recorded": source, "together": _TOGETHER}
        with Child.running("recording", options) as inserting:
            return {**inserting.ask(), "events": events}
