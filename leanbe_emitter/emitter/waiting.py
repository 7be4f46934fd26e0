"""Waiting methods: each is one coroutine, which a caller without an event loop drives by hand.

Nothing in such a coroutine waits for a loop where none runs: what needs one enters the handle's own
for as long as it lasts (``home``). So a waiting method can be awaited by another one, too.
"""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S")


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits for a loop: it only enters one of its own.

    Raises:
        RuntimeError: it did wait, which is an error of ours.
    """
    try:
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    work.close()
    raise RuntimeError("attempts waited for an event loop where none runs")


def waits(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], T]:
    """Make a method of a coroutine: its caller waits for the result."""

    @functools.wraps(method)
    def called(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return drive(method(self, *args, **kwargs))

    return called
