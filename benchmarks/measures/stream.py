"""The cost of one listener to the stream, for a server that makes 200 deliveries a second.

A listener to rows stands beside one to all that happens, and both beside none: what a listener
costs is the server's CPU with it, less the server's CPU without any, in the same round.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from statistics import median

from benchmarks.databases import Store
from benchmarks.filling import Owed
from benchmarks.processes import Child
from benchmarks.receiver import Receiver
from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run

_RATE = 200
_PATHS = {"no listener": "", "rows": "/api/v1/stream?view=rows", "all": "/api/v1/stream"}
_GOAL = Goal(at_most=1 / 7)

#: The server's seconds of CPU per second, and the bytes that the listener got per second, by name.
Round = Mapping[str, tuple[float, float]]


def measure(run: Run) -> list[Row]:
    """Return two rows for each database."""
    return [row for store in run.stores for row in _rows(run, store)]


def _rows(run: Run, store: Store) -> list[Row]:
    rounds = [_round(run, store) for _ in range(run.rounds)]
    rows, whole = (_costs(rounds, name) for name in ("rows", "all"))
    return [
        Row.of(
            f"{store.name}, a listener to rows",
            rows,
            "% of a core",
            ratios=[Ratio.of(rows, whole, to="a listener to all", goal=_GOAL)],
            details=_details(rounds, "rows"),
        ),
        Row.of(
            f"{store.name}, a listener to all",
            whole,
            "% of a core",
            details=_details(rounds, "all"),
        ),
    ]


def _costs(rounds: Sequence[Round], name: str) -> list[float]:
    """Return what a listener costs, in percent of a core; never nothing, as it is divided by."""
    return [max(0.01, (each[name][0] - each["no listener"][0]) * 100) for each in rounds]


def _details(rounds: Sequence[Round], name: str) -> dict[str, float]:
    return {"KB/s": median(each[name][1] for each in rounds) / 1000}


def _round(run: Run, store: Store) -> Round:
    return {name: _used(run, store, path) for name, path in _PATHS.items()}


def _used(run: Run, store: Store, path: str) -> tuple[float, float]:
    seconds = 0.2 if run.is_quick else 10.0
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver.running(port=run.port))
        owed = Owed(products=1, events=0, url=receiver.url)
        db = stack.enter_context(store.copied(owed.key, owed.fill))
        how = {"kind": "server", "db": db, "works": True}
        server = stack.enter_context(Child.running("server", how))
        listener = None
        if path:
            to = {"port": server.greeting["port"], "path": path}
            listener = stack.enter_context(Child.running("listening", to))
        pace = {"db": db, "rate": _RATE, "seconds": seconds}
        pacing = stack.enter_context(Child.running("pacing", pace))
        before = server.cpu_seconds()
        pacing.ask()
        used = server.cpu_seconds() - before
        read = listener.ask("count")["bytes"] if listener else 0
    return used / seconds, read / seconds
