"""Those who write to one file of SQLite take turns, as far as they are of one process.

SQLite has one writer at a time, and lets the others sleep and try again, so that some never come to
their turn among many. A lock wakes them one after the other; other processes are SQLite's business.
"""

import threading
from contextlib import AbstractContextManager

from sqlalchemy.orm import Session

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.storage.engine.nonblocking import WouldBlock, may_block


class Writers(AbstractContextManager[float]):
    """The writers of one file in this process: one at a time goes into the block.

    The block is given how many seconds were waited, as SQLite is to wait for so much less. Who is
    to wait for nobody (``nonblocking``) is not let in while another one is there.

    Args:
        patience_seconds: how long one waits; SQLite then says why it cannot write.
    """

    def __init__(self, *, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        # One thread may begin two: SQLite tells it that it cannot.
        self._lock = threading.RLock()
        self._own = threading.local()

    def __enter__(self) -> float:
        waited = 0.0
        if not (is_taken := self._lock.acquire(blocking=False)):
            if not may_block():
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


def is_alone(session: Session) -> bool:
    """Say whether nobody else can write until this transaction, which writes, has ended.

    On SQLite it is so from its beginning on: what it has read stays as it is without a lock.
    """
    return session.connection().dialect.name == "sqlite"


def rows_written(session: Session) -> int | None:
    """Return how many rows this connection has written so far; None where nobody counts them."""
    if not is_alone(session):
        return None
    written: int = session.connection().connection.driver_connection.total_changes  # type: ignore[union-attr]
    return written


def holds_back(session: Session) -> bool:
    """Say whether a session has something that is still to be written."""
    return bool(session.new or session.dirty or session.deleted)
