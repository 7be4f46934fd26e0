"""The most memory that a worker ever holds, with few deliveries due and with very many."""

from benchmarks.databases import Store
from benchmarks.filling import Owed
from benchmarks.measures.fairness import wait_for
from benchmarks.multiplying import multiply
from benchmarks.processes import Child
from benchmarks.receiver import Receiver, url_of
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run

_PRODUCTS = 100
_SEEDS = 1_000
_FLAT = Goal(at_most=1.2)
_PATIENCE_SECONDS = 180.0


def measure(run: Run) -> list[Row]:
    """Return the rows of each database."""
    return [row for store in run.stores for row in _rows(run, store)]


def _rows(run: Run, store: Store) -> list[Row]:
    few, many = run.size(10_000, 2_000), run.size(1_000_000, 4_000)
    delivered = run.size(few, 200)
    of_few = [_peak(run, store, due=few, delivered=delivered) for _ in range(run.rounds)]
    of_many = [_peak(run, store, due=many, delivered=delivered) for _ in range(run.rounds)]
    ratio = Ratio.of(of_many, of_few, to=f"with {few:,} due", goal=_FLAT)
    return [
        Row.of(f"{store.name}, {many:,} due", of_many, "MiB", ratios=[ratio]),
        Row.of(f"{store.name}, {few:,} due", of_few, "MiB"),
    ]


def _peak(run: Run, store: Store, *, due: int, delivered: int) -> float:
    """Return the peak when so many were delivered, in MiB."""
    owed = Owed(products=_PRODUCTS, events=_SEEDS, url=url_of(run.port))

    def fill(db: str) -> None:
        owed.fill(db)
        multiply(db, due // _SEEDS - 1)

    with (
        store.copied(f"memory_{due}", fill) as db,
        Receiver.running(port=run.port) as receiver,
        Child.running("worker", {"db": db, "drain": False}) as worker,
    ):
        worker.tell()
        wait_for(receiver, delivered, patience_seconds=_PATIENCE_SECONDS)
        return worker.peak_bytes() / 1024**2
