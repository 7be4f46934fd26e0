"""Deliveries a second, end to end: event in the database, request answered, evidence settled.

One worker process and one receiver process. What it is compared with is measured in the same run,
by turns: a bare loop of pyreqwest, a naive worker, our sender alone, the database alone. Each
measurement has a receiver process of its own, fresh or warm: a client's rate depends on that, so
both sides of a ratio meet the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import text

from benchmarks.databases import Store
from benchmarks.filling import Owed, payload
from benchmarks.processes import BENCH_PYTHON, Child, Disturbed, undisturbed
from benchmarks.receiver import Receiver, url_of
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run
from leanbe_emitter.storage.database import Database

#: So many products take turns; 16 attempts of one may be in flight, and of a single one all.
MANY = 100
#: More than a worker has in flight: no limit.
NO_LIMIT = 100_000
PYREQWEST = "pyreqwest, bare loop, 64 in flight"
FRESH, WARM, NONE = "fresh", "warm", "no"
_OVER_PYREQWEST = {"SQLite": Goal(at_least=1.5), "PostgreSQL": Goal(at_least=1.2)}
_OVER_NAIVE = {"SQLite": Goal(at_least=50), "PostgreSQL": Goal(at_least=40)}

#: What a child told: the seconds that it took, and those of the processor.
Told = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """Something whose rate is measured.

    Attributes:
        name: unique; what the row is called.
        deliveries: how many it makes at a time.
        once: makes them, and returns what its process told.
        receivers: what it meets: a fresh receiver, a warm one, or none.
        store: the database of a worker of ours.
        is_ours: whether the goals are about it.
    """

    name: str
    deliveries: int
    once: Callable[[], Told]
    receivers: tuple[str, ...] = (FRESH, WARM)
    store: str = ""
    is_ours: bool = False


Results = dict[tuple[str, str], list[Told]]


def measure(run: Run) -> list[Row]:
    """Return the rows: our workers with their ratios, and what they are compared with."""
    contestants = [each for each in _contestants(run) if run.is_wanted(each.name)]
    results: Results = {}
    states = (FRESH, NONE) if run.is_quick else (FRESH, WARM, NONE)
    for _ in range(run.rounds):
        for receiver in states:
            for each in contestants:
                if receiver in each.receivers:
                    told = undisturbed(partial(_against, receiver, each, run), each.name)
                    results.setdefault((each.name, receiver), []).append(told)
    return [
        _row(each, receiver, contestants, results)
        for receiver in states
        for each in contestants
        if receiver in each.receivers
    ]


def _contestants(run: Run) -> Iterator[Contestant]:
    count, url = run.size(20_000, 100), url_of(run.port)
    many = Owed(products=MANY, events=count, url=url)
    for store in run.stores:
        if not run.is_quick:
            yield _worker(store, Owed(products=1, events=count, url=url), per_product=NO_LIMIT)
        yield _worker(store, many)
    if BENCH_PYTHON.exists():
        yield _bare_loop(run, "pyreqwest", PYREQWEST, in_flight=64, count=count)
    for in_flight in _some(run, 64, 256):
        name = f"our sender, bare loop, {in_flight} in flight"
        yield _bare_loop(run, "ours", name, in_flight=in_flight, count=count)
    for store in run.stores:
        for together in _some(run, 16, 1):
            yield _naive(run, store, together=together, count=run.size(1_000, 32))
        yield _without_network(store, many)
        for batch in _some(run, 64, 256):
            yield _queue_alone(store, many, batch=batch)


def _some(run: Run, *values: int) -> tuple[int, ...]:
    """Return all of the values, or only the first where it is only to be seen that it works."""
    return values[:1] if run.is_quick else values


def _worker(store: Store, owed: Owed, **limits: int) -> Contestant:
    named = "1 product, no limit" if limits else f"{owed.products} products, limit 16"
    return Contestant(
        name=f"worker, {store.name}, {named}",
        deliveries=owed.events,
        once=partial(_drain, store, owed, "worker", limits),
        store=store.name,
        is_ours=True,
    )


def _without_network(store: Store, owed: Owed) -> Contestant:
    return Contestant(
        name=f"worker without a network, {store.name}, {MANY} products",
        deliveries=owed.events,
        once=partial(_drain, store, owed, "worker", {"accepts": True}),
        receivers=(NONE,),
    )


def _queue_alone(store: Store, owed: Owed, *, batch: int) -> Contestant:
    return Contestant(
        name=f"{store.name} alone, claim and settle {batch}, {MANY} products",
        deliveries=owed.events,
        once=partial(_drain, store, owed, "queue_alone", {"batch": batch}),
        receivers=(NONE,),
    )


def _bare_loop(run: Run, client: str, name: str, *, in_flight: int, count: int) -> Contestant:
    options = {
        "client": client,
        "url": url_of(run.port),
        "body": _body(),
        "requests": count,
        "in_flight": in_flight,
    }
    python = {"python": BENCH_PYTHON} if client == "pyreqwest" else {}
    return Contestant(
        name=name, deliveries=count, once=lambda: _told("bare_loop", options, **python)
    )


def _naive(run: Run, store: Store, *, together: int, count: int) -> Contestant:
    options = {"url": url_of(run.port), "body": _body(), "deliveries": count, "together": together}

    def once() -> Told:
        with store.copied("empty", lambda _: None) as db:
            return _told("naive_worker", {"db": db, **options})

    return Contestant(
        name=_naive_name(store.name, together), deliveries=count, once=once, receivers=(FRESH,)
    )


def _naive_name(store: str, together: int = 16) -> str:
    return f"naive worker, {store}, {together} in flight"


def _drain(store: Store, owed: Owed, module: str, options: dict[str, Any]) -> Told:
    """Let a process deliver all that is due in a copy of a database; see that it did."""
    with store.copied(owed.key, owed.fill) as db:
        told = _told(module, {"db": db, **options})
        _check(db, owed.events)
    return told


def _told(module: str, options: dict[str, Any], **python: Any) -> Told:
    with Child.running(module, options, **python) as child:
        return child.ask()


def _check(db: str, count: int) -> None:
    """See that every delivery is settled as delivered, by one attempt: else the rate is none."""
    database = Database(db)
    with database.reading() as session:
        states = session.execute(text("SELECT state, count(*) FROM deliveries GROUP BY 1")).all()
        attempts = session.execute(
            text("SELECT outcome, error, count(*) FROM attempts GROUP BY 1, 2")
        ).all()
    database.close()
    if states != [("delivered", count)] or attempts != [("delivered", None, count)]:
        raise Disturbed(f"{count} were due; now {states}, by attempts {attempts}")


def _against(state: str, contestant: Contestant, run: Run) -> Told:
    """Measure once, with a receiver in that state; see that it got every request, each once."""
    if state == NONE:
        return contestant.once()
    with Receiver.running(port=run.port, warm=state == WARM) as receiver:
        told = contestant.once()
        came = receiver.state()["count"]
    if came != contestant.deliveries:
        raise Disturbed(f"{came} requests for {contestant.deliveries}")
    return told


def _body() -> str:
    """Return an envelope as long as ours are; a bare loop does not need it signed."""
    signature = "0" * 64
    return (
        f'{{"payload":{payload(1)},"event":"idea.created",'
        f'"triggeredAt":"2026-11-24T08:00:00.000Z","signature":"{signature}"}}'
    )


def _row(
    contestant: Contestant, receiver: str, contestants: list[Contestant], results: Results
) -> Row:
    told = results[contestant.name, receiver]
    used = [each["cpu_seconds"] / contestant.deliveries * 1e6 for each in told]
    return Row.of(
        f"{contestant.name}; {receiver} receiver",
        _rates(told, contestant),
        "deliveries/s",
        ratios=list(_ratios(contestant, receiver, contestants, results)),
        details={"µs of CPU each": sorted(used)[len(used) // 2]},
    )


def _ratios(
    contestant: Contestant, receiver: str, contestants: list[Contestant], results: Results
) -> Iterator[Ratio]:
    """Yield the ratios to what did the same in the same round: medians over the rounds."""
    if not contestant.is_ours:
        return
    rates = _rates(results[contestant.name, receiver], contestant)
    for other in contestants:
        if other.name == PYREQWEST:
            goal = _OVER_PYREQWEST[contestant.store]
            theirs = _rates(results[other.name, receiver], other)
            yield Ratio.of(rates, theirs, to="pyreqwest", goal=goal)
        elif other.name == _naive_name(contestant.store):
            goal = _OVER_NAIVE[contestant.store]
            theirs = _rates(results[other.name, FRESH], other)
            yield Ratio.of(rates, theirs, to="naive", goal=goal)


def _rates(told: list[Told], contestant: Contestant) -> list[float]:
    return [contestant.deliveries / each["seconds"] for each in told]
