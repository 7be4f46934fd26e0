"""The cost of four products that never answer to a hundred that do, at the default concurrency.

Their deliveries are due first, and more of them than a worker may have in flight. The time is that
until the last delivery of the others is received.
"""

import time

from benchmarks.databases import Store
from benchmarks.filling import enqueue, make_products
from benchmarks.processes import Child
from benchmarks.receiver import Receiver, free_port, url_of
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run
from leanbe_emitter import Leanbe

_ALIVE, _DEAD = 100, 4
_GOAL = Goal(at_most=1.5)
#: After so long, the others are not delivered any more.
_PATIENCE_SECONDS = 180.0


def measure(run: Run) -> list[Row]:
    """Return the rows of each database."""
    return [row for store in run.stores for row in _rows(run, store)]


def _rows(run: Run, store: Store) -> list[Row]:
    dead_port = free_port()
    without, beside = [], []
    for _ in range(run.rounds):
        without.append(_seconds(run, store, dead=0, dead_port=dead_port))
        beside.append(_seconds(run, store, dead=_DEAD, dead_port=dead_port))
    ratio = Ratio.of(beside, without, to="without them", goal=_GOAL)
    named = f"{store.name}, {_ALIVE} products"
    return [
        Row.of(f"{named}, {_DEAD} more never answer", beside, "s", ratios=[ratio]),
        Row.of(f"{named}", without, "s"),
    ]


def _seconds(run: Run, store: Store, *, dead: int, dead_port: int) -> float:
    """Return how long the deliveries of the products that answer take."""
    count, dead_count = run.size(10_000, 200), run.size(2_000, 80) if dead else 0

    def fill(db: str) -> None:
        with Leanbe(db) as leanbe:
            silent = make_products(leanbe, dead, url=url_of(dead_port), name="Silent")
            others = make_products(leanbe, _ALIVE, url=url_of(run.port))
        if dead:
            enqueue(db, silent, range(dead_count))
        enqueue(db, others, range(count))

    with (
        store.copied(f"fairness_{dead}", fill) as db,
        Receiver.running(port=dead_port, answers=False),
        Receiver.running(port=run.port) as receiver,
        Child.running("worker", {"db": db, "drain": False}) as worker,
    ):
        started = time.perf_counter()
        worker.tell()
        return wait_for(receiver, count, patience_seconds=_PATIENCE_SECONDS) - started


def wait_for(receiver: Receiver, count: int, *, patience_seconds: float) -> float:
    """Return the instant at which a receiver got the last of so many requests."""
    over = time.perf_counter() + patience_seconds
    while (state := receiver.state())["count"] < count:
        if time.perf_counter() > over:
            raise RuntimeError(f"{state['count']} of {count} came in {patience_seconds:.0f} s.")
        time.sleep(0.05)
    return float(state["last"])
