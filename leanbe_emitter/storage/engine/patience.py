"""Whether who begins a transaction waits for others that have the same file of SQLite locked.

They do, for some seconds. An event loop's own thread must not: it says so, and is told at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_IS_PATIENT = ContextVar("leanbe_is_patient", default=True)


class Locked(Exception):
    """Nobody was to be waited for, and somebody else has the file, or it is not open yet.

    Nothing was done.
    """


@contextmanager
def waiting_for_nobody() -> Iterator[None]:
    """Let no transaction of this block wait for the file: one that cannot begin raises ``Locked``.

    It holds for this thread alone, or for this task; a thread that is given work is patient.
    """
    before = _IS_PATIENT.set(False)
    try:
        yield
    finally:
        _IS_PATIENT.reset(before)


def is_patient() -> bool:
    """Say whether who begins a transaction here waits for others."""
    return _IS_PATIENT.get()
