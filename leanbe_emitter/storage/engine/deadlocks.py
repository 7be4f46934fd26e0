"""Deadlocks of PostgreSQL: it ends one of the transactions that wait for each other.

Nothing of that transaction is left, and the connection is as good as before. So the call that the
transaction belonged to is made again, as a whole. One of the others has gone on meanwhile.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from leanbe_emitter.errors import DatabaseUnavailable

#: How often a call is made at most.
MOST_TRIES = 10

P = ParamSpec("P")
R = TypeVar("R")


class Deadlock(DatabaseUnavailable):
    """The database ended a transaction that waited for another one, which waited for it."""

    def __init__(self) -> None:
        super().__init__(
            "This transaction and another one waited for each other, so the database ended it.",
            hint="Try again; nothing was changed.",
        )


def try_again(call: Callable[[], R]) -> R:
    """Make a call that is one transaction, again if a deadlock ends it.

    Raises:
        Deadlock: each of ``MOST_TRIES`` calls ended in one.
    """
    for _ in range(MOST_TRIES - 1):
        try:
            return call()
        except Deadlock:
            continue
    return call()


def again_after_deadlock(call: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that is one transaction of its own; see ``try_again``."""

    @wraps(call)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        return try_again(partial(call, *args, **kwargs))

    return tried
