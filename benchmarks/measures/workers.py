"""Several workers on PostgreSQL: what a second and a fourth process add on this machine."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from benchmarks.filling import Owed
from benchmarks.processes import Child
from benchmarks.receiver import Receiver, url_of
from benchmarks.rows import REPORTED, Ratio, Row
from benchmarks.run import Run

_COUNTS = (1, 2, 4)


def measure(run: Run) -> list[Row]:
    """Return a row for each number of workers."""
    deliveries = run.size(20_000, 200)
    rates: dict[int, list[float]] = {count: [] for count in _COUNTS}
    for _ in range(run.rounds):
        for count in _COUNTS:
            rates[count].append(deliveries / _seconds(run, count, deliveries))
    return [
        Row.of(
            f"PostgreSQL, {count} worker{'s' if count > 1 else ''}",
            rates[count],
            "deliveries/s",
            ratios=[_ratio(rates, count)] if count > 1 else [],
        )
        for count in _COUNTS
    ]


def _ratio(rates: Mapping[int, Sequence[float]], count: int) -> Ratio:
    goal = REPORTED if count == 2 else None  # noqa: PLR2004 - as many as there are cores
    return Ratio.of(rates[count], rates[1], to="one worker", goal=goal)


def _seconds(run: Run, count: int, deliveries: int) -> float:
    """Return how long so many workers need together, from the word until the last has ended."""
    owed = Owed(products=100, events=deliveries, url=url_of(run.port))
    with ExitStack() as stack:
        db = stack.enter_context(run.postgresql.copied(owed.key, owed.fill))
        receiver = stack.enter_context(Receiver.running(port=run.port))
        workers = [stack.enter_context(Child.running("worker", {"db": db})) for _ in range(count)]
        for worker in workers:
            worker.tell()
        seconds = max(float(worker.told()["seconds"]) for worker in workers)
        came = receiver.state()["count"]
    if came != deliveries:
        raise RuntimeError(f"{count} workers made {came} requests for {deliveries} deliveries.")
    return seconds
