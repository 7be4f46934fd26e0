"""Locking of a SQLite file: one writer at a time, and whether a transaction waits for others.

SQLite has one writer at a time. It lets the others sleep and try again, so among many writers some
never get their turn. Within one process, a lock therefore wakes the writers one after the other;
SQLite itself arranges writers of other processes.

By default, a transaction waits some seconds for a locked file. The thread of an event loop must not
wait: it begins its transactions under ``nowait``, and gets ``WouldBlock`` at once instead.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from sqlalchemy.orm import Session

from leanbe_emitter.clock import stopwatch

_MAY_WAIT = ContextVar("leanbe_may_wait", default=True)


class WouldBlock(Exception):
    """A transaction under ``nowait`` had to wait: the file is locked, or is not open yet.

    Nothing was changed.
    """


@contextmanager
def nowait() -> Iterator[None]:
    """Let transactions of the block raise ``WouldBlock`` instead of waiting for the file.

    This holds for the calling thread or task only. Threads that it gives work to may wait.
    """
    before = _MAY_WAIT.set(False)
    try:
        yield
    finally:
        _MAY_WAIT.reset(before)


def may_wait() -> bool:
    """Return whether a transaction that begins here waits for others."""
    return _MAY_WAIT.get()


class WriterLock(AbstractContextManager[float]):
    """The lock of one file's writers in this process: one thread at a time enters the block.

    The block gets the number of seconds that the thread waited, so that SQLite waits for less.
    Under ``nowait``, a thread that would have to wait gets ``WouldBlock``.

    Args:
        patience_seconds: how long a thread waits. Afterwards it enters without the lock, and SQLite
            reports why it cannot write.
    """

    def __init__(self, *, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        # A thread may begin a second transaction: SQLite then reports that this cannot be.
        self._lock = threading.RLock()
        self._own = threading.local()

    def __enter__(self) -> float:
        waited = 0.0
        if not (is_taken := self._lock.acquire(blocking=False)):
            if not may_wait():
                raise WouldBlock
            began_at = stopwatch()
            is_taken = self._lock.acquire(timeout=self._patience_seconds)
            waited = stopwatch() - began_at
        self._own.taken = (*getattr(self._own, "taken", ()), is_taken)
        return waited

    def __exit__(self, *_: object) -> None:
        *rest, is_taken = self._own.taken
        self._own.taken = tuple(rest)
        if is_taken:
            self._lock.release()


def is_sole_writer(session: Session) -> bool:
    """Return whether nobody else can write until this writing transaction has ended.

    On SQLite this holds from its beginning: rows that it has read stay as they are without a lock.
    """
    return session.connection().dialect.name == "sqlite"


def rows_written(session: Session) -> int | None:
    """Return how many rows this connection has written so far; None on PostgreSQL."""
    if not is_sole_writer(session):
        return None
    written: int = session.connection().connection.driver_connection.total_changes  # type: ignore[union-attr]
    return written


def has_unflushed_changes(session: Session) -> bool:
    """Return whether a session holds changes that it has not written yet."""
    return bool(session.new or session.dirty or session.deleted)
