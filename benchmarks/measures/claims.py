"""The cost of a claim per row, as the past grows and as more products have something due.

In one transaction 256 deliveries are claimed, committed and, outside of the figure, settled. The
databases with no, some and a million finished deliveries take turns.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks import engine
from benchmarks.databases import Store
from benchmarks.filling import enqueue, make_products
from benchmarks.multiplying import multiply
from benchmarks.receiver import url_of
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run
from leanbe_emitter import Leanbe

_BATCH = 256
_SEEDS = 1_000
_FLAT = Goal(at_most=1.5)
#: What many products add to a row, in microseconds.
_MORE = Goal(at_most=8)


@dataclass(frozen=True, kw_only=True)
class Aged:
    """A database with so many finished deliveries."""

    db: str
    finished: int
    products: tuple[str, ...]

    def claim(self, products: int, claims: int) -> float:
        """Owe what some claims take of so many products; return microseconds a row: the median."""
        enqueue(self.db, self.products[:products], range(_BATCH * claims))
        database = engine.Database(self.db)
        queue = engine.queue_of(database)
        costs = []
        for _ in range(claims):
            started = time.perf_counter()
            claimed = engine.claim(queue, _BATCH)
            costs.append((time.perf_counter() - started) / len(claimed) * 1e6)
            engine.settle(queue, claimed)
        database.close()
        return median(costs)


def measure(run: Run) -> list[Row]:
    """Return the rows of each database."""
    return [row for store in run.stores for row in _rows(run, store)]


def _rows(run: Run, store: Store) -> list[Row]:
    ages = [0, run.size(100_000, 2_000), run.size(1_000_000, 5_000)]
    many, claims = run.size(1_000, 20), run.size(8, 1)
    costs: dict[tuple[int, int], list[float]] = {}
    with ExitStack() as stack:
        aged = [_aged(stack, store, run, finished=age, products=many) for age in ages]
        for _ in range(run.size(max(run.rounds, 5), 1)):
            for products in (1, many):
                for each in aged:
                    cost = each.claim(products, claims)
                    costs.setdefault((each.finished, products), []).append(cost)
    rows = [
        _row(store, costs, finished, products, many) for products in (1, many) for finished in ages
    ]
    return [*rows, *(_difference(store, costs, finished, many) for finished in ages)]


def _row(
    store: Store, costs: dict[tuple[int, int], list[float]], finished: int, products: int, many: int
) -> Row:
    mine = costs[finished, products]
    ratios = []
    if finished:
        ratios.append(Ratio.of(mine, costs[0, products], to="none finished", goal=_FLAT))
    if products == many:
        ratios.append(Ratio.of(mine, costs[finished, 1], to="1 product due"))
    due = "1 product" if products == 1 else f"{products:,} products"
    return Row.of(f"{store.name}, {finished:,} finished, {due} due", mine, "µs/row", ratios=ratios)


def _difference(
    store: Store, costs: dict[tuple[int, int], list[float]], finished: int, many: int
) -> Row:
    pairs = zip(costs[finished, many], costs[finished, 1], strict=True)
    return Row.of(
        f"{store.name}, {finished:,} finished, what {many:,} products due add",
        [of_many - of_one for of_many, of_one in pairs],
        "µs/row",
        goal=_MORE,
    )


def _aged(stack: ExitStack, store: Store, run: Run, *, finished: int, products: int) -> Aged:
    made: list[str] = []

    def fill(db: str) -> None:
        with Leanbe(db) as leanbe:
            made.extend(make_products(leanbe, products, url=url_of(run.port)))
        if finished:
            _finish(db, made, finished)

    db = stack.enter_context(store.filled(fill))
    return Aged(db=db, finished=finished, products=tuple(made))


def _finish(db: str, products: list[str], finished: int) -> None:
    enqueue(db, products, range(_SEEDS))
    database = engine.Database(db)
    queue = engine.queue_of(database)
    while claimed := engine.claim(queue, _BATCH):
        engine.settle(queue, claimed)
    database.close()
    multiply(db, finished // _SEEDS - 1)
