"""The rate of writes over HTTP: ideas a second, each with its event, delivery and journal.

The server has one core, its clients the last one; it delivers nothing meanwhile. Beside it stand a
server of the same make that does nothing, and the library without a server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles
from typing import Any

from benchmarks.databases import Store, read
from benchmarks.filling import Owed
from benchmarks.processes import Child, Disturbed, undisturbed
from benchmarks.receiver import url_of
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run

#: What webhook-engine publishes for its ingestion: the best comparable figure that was found.
_GOALS = {"SQLite": Goal(at_least=1_492)}
_CROWDS = (32, 200)
_PRODUCT = "Product%200"
_TOGETHER = 100


@dataclass(frozen=True, kw_only=True)
class Served:
    """The result of one measurement."""

    rate: float
    cpu_us: float
    milliseconds: Sequence[float]


def measure(run: Run) -> list[Row]:
    """Return the rows: the bare server, then each database's."""
    rounds = [_round(run) for _ in range(run.rounds)]
    return [_row(name, rounds) for name in rounds[0]]


Round = Mapping[str, Served]


def _round(run: Run) -> Round:
    """Measure each once, by turns: what is compared met the machine alike."""
    served: dict[str, Served] = {}
    for clients in _CROWDS:
        served[_bare(clients)] = _answered(run, clients, {"kind": "bare"})
        for store in run.stores:
            served[f"{store.name}, {clients} clients"] = undisturbed(
                partial(_on, run, store, clients), store.name
            )
    for store in run.stores:
        served[f"{store.name}, library, 1 a transaction"] = _alone(run, store, together=1)
        if not run.is_quick:
            named = f"{store.name}, library, {_TOGETHER} a transaction"
            served[named] = _alone(run, store, together=_TOGETHER)
    return served


def _bare(clients: int) -> str:
    return f"a server that does nothing, {clients} clients"


def _owed(run: Run) -> Owed:
    return Owed(products=1, events=0, url=url_of(run.port))


def _on(run: Run, store: Store, clients: int) -> Served:
    """Measure the server on a copy of a database; see that all it answered is there."""
    owed = _owed(run)
    with store.copied(owed.key, owed.fill) as db:
        served = _answered(run, clients, {"kind": "server", "db": db})
        _check(db, 2 * len(served.milliseconds))
    return served


def _answered(run: Run, clients: int, how: dict[str, Any]) -> Served:
    requests = run.size(4_000, 2 * clients)
    with Child.running("server", how) as server:
        # It says its port where others say that they are ready.
        options = {
            "port": server.greeting["port"],
            "product": _PRODUCT,
            "clients": clients,
            "requests": requests,
        }
        with Child.running("acting", options) as crowd:
            crowd.ask()
            used = server.cpu_seconds()
            told = crowd.ask()
            used = server.cpu_seconds() - used
    return Served(
        rate=requests / told["seconds"],
        cpu_us=used / requests * 1e6,
        milliseconds=told["milliseconds"],
    )


def _alone(run: Run, store: Store, *, together: int) -> Served:
    ideas, owed = run.size(2_000, _TOGETHER), _owed(run)
    with store.copied(owed.key, owed.fill) as db:
        how = {"kind": "library", "db": db, "ideas": ideas, "together": together}
        with Child.running("server", how) as library:
            told = library.ask()
        _check(db, ideas)
    return Served(
        rate=ideas / told["seconds"], cpu_us=told["cpu_seconds"] / ideas * 1e6, milliseconds=()
    )


def _check(db: str, ideas: int) -> None:
    """See that each answer has its row, its event and a delivery that is owed."""
    counts = [
        read(db, f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - words of our own
        for table in ("ideas", "events", "deliveries WHERE state = 'new'")
    ]
    if counts != [ideas] * 3:
        raise Disturbed(f"{ideas} were acknowledged; there are {counts}")


def _row(name: str, rounds: Sequence[Round]) -> Row:
    served = [each[name] for each in rounds]
    rates = [each.rate for each in served]
    store = name.partition(",")[0]
    details = {"µs of CPU each": median(each.cpu_us for each in served)}
    if served[0].milliseconds:
        for p in (95, 99):
            details[f"p{p} ms"] = median(_quantile(each.milliseconds, p) for each in served)
    is_server = store in {"SQLite", "PostgreSQL"} and "clients" in name
    clients = name.partition(", ")[2]
    others = {
        "the one that does nothing": f"a server that does nothing, {clients}",
        "the library alone": f"{store}, library, 1 a transaction",
    }
    return Row.of(
        name,
        rates,
        "writes/s",
        goal=_GOALS.get(store) if is_server else None,
        ratios=[
            Ratio.of(rates, [each[other].rate for each in rounds], to=words)
            for words, other in others.items()
            if is_server
        ],
        details=details,
    )


def _quantile(milliseconds: Sequence[float], p: int) -> float:
    return quantiles(milliseconds, n=100, method="inclusive")[p - 1]
