"""The time of one event in process: recorded, committed, delivered to an ASGI app, settled.

``Leanbe.trigger`` returns when all of that is in the database and the delivery was read back.
Beside it stand a receiver that is no more than a function, and the commit alone.
"""

from contextlib import AbstractContextManager, nullcontext
from statistics import median, quantiles

from benchmarks.databases import Store
from benchmarks.processes import Child
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run

_GOAL = Goal(at_most=3)
_RECEIVERS = {
    "app": "to an ASGI app",
    "function": "to a function",
    "nobody": "recorded and committed only",
}

#: Milliseconds, an event each.
Times = list[float]


def measure(run: Run) -> list[Row]:
    """Return the rows: SQLite in memory, then each database."""
    rows = _rows(run, "SQLite in memory", None)
    return rows + [row for store in run.stores for row in _rows(run, store.name, store)]


def _rows(run: Run, name: str, store: Store | None) -> list[Row]:
    times: dict[str, list[Times]] = {
        receiver: [] for receiver in _RECEIVERS if receiver != "function" or not run.is_quick
    }
    for _ in range(run.rounds):
        for receiver, mine in times.items():
            mine.append(_once(run, store, receiver))
    return [_row(f"{name}, {_RECEIVERS[each]}, p50", times, each) for each in times]


def _once(run: Run, store: Store | None, receiver: str) -> Times:
    with _database(store) as db:
        how = {"db": db, "receiver": receiver, "events": run.size(500, 10)}
        with Child.running("embedded", how) as child:
            told: Times = child.ask()["milliseconds"]
    return told


def _database(store: Store | None) -> AbstractContextManager[str]:
    return store.copied("empty", lambda _: None) if store else nullcontext(":memory:")


def _row(what: str, times: dict[str, list[Times]], receiver: str) -> Row:
    mine = [median(each) for each in times[receiver]]
    alone = [median(each) for each in times["nobody"]]
    is_delivered = receiver != "nobody"
    return Row.of(
        what,
        mine,
        "ms",
        goal=_GOAL if receiver == "app" and what.startswith("SQLite") else None,
        ratios=[Ratio.of(mine, alone, to="recording only")] if is_delivered else [],
        details={
            f"p{p}": median(
                quantiles(each, n=100, method="inclusive")[p - 1] for each in times[receiver]
            )
            for p in (95, 99)
        },
    )
