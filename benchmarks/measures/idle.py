"""The cost of an idle worker: its share of a core, and its server's."""

import time
from collections.abc import Iterator

import psycopg
from sqlalchemy import make_url

from benchmarks.databases import Store
from benchmarks.filling import Owed
from benchmarks.processes import Child, cpu_seconds
from benchmarks.receiver import url_of
from benchmarks.rows import Goal, Row
from benchmarks.run import Run

_GOAL = Goal(at_most=1)


def measure(run: Run) -> list[Row]:
    """Return a row for each database."""
    return [_row(run, store) for store in run.stores]


def _row(run: Run, store: Store) -> Row:
    shares = [_shares(run, store) for _ in range(run.rounds)]
    worker = [each for each, _ in shares]
    server = [each for _, each in shares]
    details = {"% of a core in its server processes": max(server)} if any(server) else {}
    return Row.of(f"{store.name}, idle worker", worker, "% of a core", goal=_GOAL, details=details)


def _shares(run: Run, store: Store) -> tuple[float, float]:
    """Return the worker's share and that of the server's processes that serve it, in percent."""
    settled, watched = (0.2, 0.2) if run.is_quick else (3, 10)
    owed = Owed(products=20, events=0, url=url_of(run.port))
    with (
        store.copied(owed.key, owed.fill) as db,
        Child.running("worker", {"db": db, "drain": False}) as worker,
    ):
        worker.tell()
        time.sleep(settled)  # until it has seen that there is nothing, for a while
        pids = [worker.pid, *_servers(db)]
        before, started = [cpu_seconds(pid) for pid in pids], time.perf_counter()
        time.sleep(watched)
        seconds = time.perf_counter() - started
        own, *servers = (
            (cpu_seconds(pid) - used) / seconds * 100
            for pid, used in zip(pids, before, strict=True)
        )
    return own, sum(servers)


def _servers(db: str) -> Iterator[int]:
    """Yield the processes of the server that have a connection to this database."""
    if not db.startswith("postgresql"):
        return
    name = make_url(db).database
    with psycopg.connect(db) as connection:
        yield from (
            row[0]
            for row in connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
                [name],
            )
        )
