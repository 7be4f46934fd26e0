"""Deliveries a second, end to end: event in the database, request answered, evidence settled.

One worker process and one receiver process. The worker is the command ``worker --drain`` as users
run it, with its defaults and its lines written to a file; and the same bare, by the library. In the
same run, by turns, it is compared with a bare loop of pyreqwest, naive workers, our sender alone
and the database alone. Each measurement has a receiver process of its own, fresh or warm: the rate
of a client depends on that, so both sides of a ratio meet the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from benchmarks.databases import Store, read
from benchmarks.filling import Owed, payload
from benchmarks.processes import Child, Disturbed, undisturbed
from benchmarks.receiver import Receiver, url_of
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run

#: So many products take turns; 16 attempts of one may be in flight, and of a single one all.
MANY = 100
#: More than a worker has in flight: no limit.
NO_LIMIT = 100_000
PYREQWEST = "pyreqwest, bare loop, 64 in flight"
FRESH, WARM, NONE = "fresh", "warm", "no"
#: By the database and the number of products.
_OVER_PYREQWEST = {
    ("SQLite", 1): Goal(at_least=1.0),
    ("SQLite", MANY): Goal(at_least=0.8),
    ("PostgreSQL", 1): Goal(at_least=0.65),
    ("PostgreSQL", MANY): Goal(at_least=0.6),
}
#: CPU for a delivery, beside that of pyreqwest for a request.
_CPU = {"SQLite": Goal(at_most=1.0), "PostgreSQL": Goal(at_most=1.2)}
_OVER_NAIVE = {
    "httpx": {"SQLite": Goal(at_least=40), "PostgreSQL": Goal(at_least=38)},
    "httpx2": {"SQLite": Goal(at_least=10), "PostgreSQL": Goal(at_least=8)},
}

T = TypeVar("T")
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
        store: the database of a worker of ours; empty for what is no worker of ours.
        products: how many products its deliveries are of.
    """

    name: str
    deliveries: int
    once: Callable[[], Told]
    receivers: tuple[str, ...] = (FRESH, WARM)
    store: str = ""
    products: int = 0


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
    one = Owed(products=1, events=count, url=url)
    for store in run.stores:
        for owed in _some(run, many, one):
            yield _command(store, owed)
            yield _worker(store, owed)
    if find_spec("pyreqwest"):
        yield _bare_loop(run, "pyreqwest", PYREQWEST, in_flight=64, count=count)
    for in_flight in _some(run, 64, 256):
        name = f"our sender, bare loop, {in_flight} in flight"
        yield _bare_loop(run, "ours", name, in_flight=in_flight, count=count)
    for store in run.stores:
        for client in ("httpx", "httpx2"):
            if find_spec(client):
                for together in _some(run, 16, 1):
                    yield _naive(run, store, client, together=together)
        yield _without_network(store, many)
        for batch in _some(run, 64, 256):
            yield _queue_alone(store, many, batch=batch)


def _some(run: Run, *values: T) -> tuple[T, ...]:
    """Return all of the values, or only the first where it is only to be seen that it works."""
    return values[:1] if run.is_quick else values


def _command(store: Store, owed: Owed) -> Contestant:
    """Return the worker as users run it: the command, its defaults, its lines in a file."""

    def once() -> Told:
        with TemporaryDirectory(prefix="leanbe-lines-") as folder:
            lines = Path(folder) / "lines"
            told = _drain(store, owed, "worker", {"lines": str(lines)})
            _check_lines(lines, owed.events)
        return told

    return Contestant(
        name=f"worker, {store.name}, {_of(owed)}",
        deliveries=owed.events,
        once=once,
        store=store.name,
        products=owed.products,
    )


def _worker(store: Store, owed: Owed) -> Contestant:
    """Return the library's worker, which prints nothing; one product has no limit."""
    limits = {"per_product": NO_LIMIT} if owed.products == 1 else {}
    return Contestant(
        name=f"worker, bare, {store.name}, {_of(owed)}",
        deliveries=owed.events,
        once=partial(_drain, store, owed, "worker", limits),
        store=store.name,
        products=owed.products,
    )


def _of(owed: Owed) -> str:
    return "1 product" if owed.products == 1 else f"{owed.products} products"


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
    return Contestant(name=name, deliveries=count, once=partial(_told, "bare_loop", options))


def _naive(run: Run, store: Store, client: str, *, together: int) -> Contestant:
    count = run.size(1_000, 32)
    options = {
        "client": client,
        "url": url_of(run.port),
        "body": _body(),
        "deliveries": count,
        "together": together,
    }

    def once() -> Told:
        with store.copied("empty", lambda _: None) as db:
            return _told("naive_worker", {"db": db, **options})

    name = _naive_name(store.name, client, together)
    return Contestant(name=name, deliveries=count, once=once, receivers=(FRESH,))


def _naive_name(store: str, client: str, together: int = 16) -> str:
    return f"naive worker, {store}, {client}, {together} in flight"


def _drain(store: Store, owed: Owed, module: str, options: dict[str, Any]) -> Told:
    """Let a process deliver all that is due in a copy of a database; see that it did."""
    with store.copied(owed.key, owed.fill) as db:
        told = _told(module, {"db": db, **options})
        _check(db, owed.events)
    return told


def _told(module: str, options: dict[str, Any]) -> Told:
    with Child.running(module, options) as child:
        return child.ask()


def _check(db: str, count: int) -> None:
    """See that every delivery is settled as delivered, by one attempt: else the rate is none."""
    states = read(db, "SELECT state, count(*) FROM deliveries GROUP BY 1")
    attempts = read(db, "SELECT outcome, error, count(*) FROM attempts GROUP BY 1, 2")
    if states != [("delivered", count)] or attempts != [("delivered", None, count)]:
        raise Disturbed(f"{count} were due; now {states}, by attempts {attempts}")


def _check_lines(lines: Path, deliveries: int) -> None:
    """See that the command wrote a line or more for each delivery."""
    count = lines.read_bytes().count(b"\n")
    if count < deliveries:
        raise RuntimeError(f"The worker wrote {count} lines for {deliveries} deliveries.")


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
    return Row.of(
        f"{contestant.name}; {receiver} receiver",
        _rates(told, contestant),
        "deliveries/s",
        ratios=list(_ratios(contestant, receiver, contestants, results)),
        details={"µs of CPU each": median(_used(told, contestant))},
    )


def _ratios(
    contestant: Contestant, receiver: str, contestants: list[Contestant], results: Results
) -> Iterator[Ratio]:
    """Yield the ratios to what did the same in the same round: medians over the rounds."""
    if not contestant.store:
        return
    told, store = results[contestant.name, receiver], contestant.store
    rates = _rates(told, contestant)
    naive = {_naive_name(store, client): client for client in _OVER_NAIVE}
    for other in contestants:
        if other.name == PYREQWEST:
            theirs = results[other.name, receiver]
            goal = _OVER_PYREQWEST[store, contestant.products]
            yield Ratio.of(rates, _rates(theirs, other), to="pyreqwest", goal=goal)
            used = _used(told, contestant), _used(theirs, other)
            yield Ratio.of(*used, to="pyreqwest's CPU", goal=_CPU[store])
        elif client := naive.get(other.name):
            slow = _rates(results[other.name, FRESH], other)
            yield Ratio.of(rates, slow, to=f"naive, {client}", goal=_OVER_NAIVE[client][store])


def _used(told: Sequence[Told], contestant: Contestant) -> list[float]:
    """Return the microseconds of CPU for each delivery, of all threads of the process."""
    return [each["cpu_seconds"] / contestant.deliveries * 1e6 for each in told]


def _rates(told: list[Told], contestant: Contestant) -> list[float]:
    return [contestant.deliveries / each["seconds"] for each in told]
