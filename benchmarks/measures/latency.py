"""The time from the commit of an event to its receipt, over three processes.

The emitter is an open loop: it records at scheduled instants, whatever the rest does. The time from
the scheduled instant holds the emitter's own waits and its commit as well, so that nothing is
omitted because the emitter was held up.
"""

from collections.abc import Sequence
from statistics import median, quantiles

from benchmarks.databases import Store
from benchmarks.filling import Owed
from benchmarks.measures.fairness import wait_for
from benchmarks.processes import Child
from benchmarks.receiver import Receiver, url_of
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run

_PRODUCTS = 20
_RATES = (50, 200)
#: Of the higher rate.
_GOALS = {"SQLite": Goal(at_most=3), "PostgreSQL": Goal(at_most=6)}
_PATIENCE_SECONDS = 60.0

#: Milliseconds, an event each.
Times = list[float]


def measure(run: Run) -> list[Row]:
    """Return the rows of each database and rate."""
    return [row for store in run.stores for rate in _RATES for row in _rows(run, store, rate)]


def _rows(run: Run, store: Store, rate: int) -> list[Row]:
    events = run.size(8 * rate, 20)
    rounds = [_once(run, store, rate, events) for _ in range(run.rounds)]
    commits, since_commit, since_schedule = (list(each) for each in zip(*rounds, strict=True))
    named = f"{store.name}, {rate}/s"
    goal = _GOALS[store.name] if rate == max(_RATES) else None
    return [
        _row(f"{named}, commit to receipt, p95", since_commit, commits, goal=goal),
        _row(f"{named}, scheduled instant to receipt, p95", since_schedule, commits),
        _row(f"{named}, scheduled instant to commit, p95", commits),
    ]


def _once(run: Run, store: Store, rate: int, events: int) -> tuple[Times, Times, Times]:
    """Return what each event took: until its commit, from it to receipt, and both together."""
    owed = Owed(products=_PRODUCTS, events=0, url=url_of(run.port))
    emitting = {"per_second": rate, "events": events}
    with (
        store.copied(owed.key, owed.fill) as db,
        Receiver.running(port=run.port, notes=True) as receiver,
        Child.running("worker", {"db": db, "drain": False}) as worker,
        Child.running("emitter", {"db": db, **emitting}) as emitter,
    ):
        worker.tell()
        told = emitter.ask()
        wait_for(receiver, events, patience_seconds=_PATIENCE_SECONDS)
        received = receiver.arrivals()
    arrivals = [received[number] for number in range(events)]
    scheduled, committed = told["scheduled"], told["committed"]
    return (
        _between(scheduled, committed),
        _between(committed, arrivals),
        _between(scheduled, arrivals),
    )


def _between(first: Sequence[float], then: Sequence[float]) -> Times:
    return [(end - begin) * 1000 for begin, end in zip(first, then, strict=True)]


def _row(
    what: str, rounds: list[Times], commits: list[Times] | None = None, *, goal: Goal | None = None
) -> Row:
    ratios = []
    if commits:
        mine, theirs = _percentile(rounds, 50), _percentile(commits, 50)
        ratios.append(Ratio.of(mine, theirs, to="until the commit (p50)"))
    details = {f"p{p}": median(_percentile(rounds, p)) for p in (50, 99)}
    return Row.of(what, _percentile(rounds, 95), "ms", goal=goal, ratios=ratios, details=details)


def _percentile(rounds: list[Times], percent: int) -> list[float]:
    return [quantiles(times, n=100, method="inclusive")[percent - 1] for times in rounds]
