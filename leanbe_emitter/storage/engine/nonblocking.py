"""Whether a transaction may wait for others that have the same SQLite file locked.

By default it may, for some seconds. The thread of an event loop must not block: it opens a
``nonblocking`` block, and a transaction that would have to wait raises at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_MAY_BLOCK = ContextVar("leanbe_may_block", default=True)


class WouldBlock(Exception):
    """The transaction would have to wait: the file is locked, or not open yet.

    Nothing was done.
    """


@contextmanager
def nonblocking() -> Iterator[None]:
    """Let transactions of this block raise ``WouldBlock`` where they would have to wait.

    This holds for the current thread or task only; work handed to another thread may wait.
    """
    before = _MAY_BLOCK.set(False)
    try:
        yield
    finally:
        _MAY_BLOCK.reset(before)


def may_block() -> bool:
    """Say whether a transaction that begins here may wait for others."""
    return _MAY_BLOCK.get()
