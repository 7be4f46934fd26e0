"""Events recorded a second: each with its signature, its finished body, its delivery and journal.

One event a transaction, as a single action does, or a hundred, as an import does. Beside them the
ceiling: the driver alone inserts the same finished rows.
"""

from functools import partial
from typing import Any

from benchmarks.databases import Store
from benchmarks.filling import Owed
from benchmarks.processes import Child
from benchmarks.receiver import url_of
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run

_TOGETHER = 100
_PRODUCTS = 100
_GOALS = {"SQLite": Goal(at_least=50_000), "PostgreSQL": Goal(at_least=15_000)}


def measure(run: Run) -> list[Row]:
    """Return the rows of each database."""
    return [row for store in run.stores for row in _rows(run, store)]


def _rows(run: Run, store: Store) -> list[Row]:
    many, few = run.size(30_000, 300), run.size(2_000, 50)
    alone: list[float] = []
    of_one: list[float] = []
    of_many: list[float] = []
    bare: list[float] = []
    for _ in range(run.rounds):
        alone.append(_recorded(store, run, events=few, together=1, spread=True))
        of_one.append(_recorded(store, run, events=many, together=_TOGETHER, spread=False))
        of_many.append(_recorded(store, run, events=many, together=_TOGETHER, spread=True))
        bare.append(_inserted(store, run, events=many))
    ratio = partial(Ratio.of, to="the driver alone")
    named = f"{store.name}, {_TOGETHER} a transaction"
    row = partial(Row.of, unit="events/s")
    return [
        row(
            f"{named}, of one product",
            of_one,
            goal=_GOALS[store.name],
            ratios=[ratio(of_one, bare)],
        ),
        row(f"{named}, of {_PRODUCTS} products", of_many, ratios=[ratio(of_many, bare)]),
        row(f"{store.name}, 1 a transaction", alone, ratios=[ratio(alone, bare)]),
        row(f"{named}, the driver alone inserts finished rows", bare),
    ]


def _products(run: Run) -> Owed:
    return Owed(products=_PRODUCTS, events=0, url=url_of(run.port))


def _recorded(store: Store, run: Run, **how: Any) -> float:
    owed = _products(run)
    with (
        store.copied(owed.key, owed.fill) as db,
        Child.running("recording", {"db": db, **how}) as it,
    ):
        return float(how["events"] / it.ask()["seconds"])


def _inserted(store: Store, run: Run, *, events: int) -> float:
    """Return the rate of the driver alone, into a database that has the products already."""
    owed = _products(run)
    how = {"events": events, "together": _TOGETHER, "spread": False}
    with store.copied(owed.key, owed.fill) as source, store.copied(owed.key, owed.fill) as db:
        with Child.running("recording", {"db": source, **how}) as recording:
            recording.ask()
        options = {"db": db, "recorded": source, "together": _TOGETHER}
        with Child.running("recording", options) as inserting:
            return float(events / inserting.ask()["seconds"])
