"""A process that opens handles in memory: the first one after the import, and then many."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

from benchmarks.processes import options, say, wait_for_word
from leanbe_emitter import Leanbe


def _open(*, handles: int) -> None:
    say(ready=True)
    wait_for_word()
    first = _milliseconds(Leanbe)
    say(
        first=first,
        further=[_milliseconds(Leanbe) for _ in range(handles)],
        bare=[_milliseconds(_connected) for _ in range(handles)],
    )


def _milliseconds(make: Callable[[], Leanbe | sqlite3.Connection]) -> float:
    """Return how long it takes to open; closing it is not part of it."""
    started = time.perf_counter()
    with closing(make()):
        return (time.perf_counter() - started) * 1000


def _connected() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("SELECT 1")
    return connection


if __name__ == "__main__":
    _open(**options())
