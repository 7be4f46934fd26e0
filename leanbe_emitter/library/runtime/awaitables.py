"""Waiting methods: one API for callers with an event loop and without one.

Each waiting method is one coroutine. If no event loop runs, ``drive`` runs the coroutine on the
caller's thread: nothing in it waits for a loop, and work that needs one uses ``LoopRunner``. If a
loop runs, the caller gets an awaitable, and the coroutine runs in that loop. So a waiting method
can await another one, too.
"""

import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast

from leanbe_emitter.delivery.event_loops import running_loop
from leanbe_emitter.errors import Conflict
from leanbe_emitter.library.runtime.awaitable_results import Pending, is_waiting
from leanbe_emitter.library.runtime.transactions import Transactions

T = TypeVar("T")
P = ParamSpec("P")


class HasTransactions(Protocol):
    """A class that has waiting methods."""

    _transactions: Transactions


W = TypeVar("W", bound=HasTransactions)


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits for an event loop of its caller.

    Raises:
        RuntimeError: the coroutine did wait, which is a bug of this package.
    """
    try:
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    work.close()
    raise RuntimeError("a waiting method waited for an event loop, and none runs")


def waits(
    what: str,
) -> Callable[
    [Callable[Concatenate[W, P], Coroutine[Any, Any, T]]], Callable[Concatenate[W, P], T]
]:
    """Turn a coroutine method into a waiting method.

    Args:
        what: the call in words, for the error about a missing await (``leanbe.deliver()``).
    """

    def made(
        method: Callable[Concatenate[W, P], Coroutine[Any, Any, T]],
    ) -> Callable[Concatenate[W, P], T]:
        @functools.wraps(method)
        async def run(self: W, *args: P.args, **kwargs: P.kwargs) -> T:
            with is_waiting():
                return await method(self, *args, **kwargs)

        @functools.wraps(method)
        def called(self: W, /, *args: P.args, **kwargs: P.kwargs) -> T:
            work = run(self, *args, **kwargs)
            if running_loop() is None:
                return drive(work)
            # Its declared type is that of its result.
            return cast("T", Pending(work, what=what, among=self._transactions.unawaited))

        return called

    return made


class Block(AbstractContextManager[T], AbstractAsyncContextManager[T], Generic[T]):
    """A block that waits at its end: ``with``, or ``async with`` in code that a loop runs."""

    def __init__(self, block: AbstractAsyncContextManager[T, bool | None], *, what: str) -> None:
        self._block = block
        self._what = what

    def __enter__(self) -> T:
        require_async_with(self._what)
        return drive(self._block.__aenter__())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return drive(self._block.__aexit__(kind, error, trace))

    async def __aenter__(self) -> T:
        return await self._block.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._block.__aexit__(kind, error, trace)


def waits_at_end(what: str) -> Callable[[Callable[P, AsyncIterator[T]]], Callable[P, Block[T]]]:
    """Turn an asynchronous generator that yields once into a block that waits at its end.

    Args:
        what: the call in words, for the error about ``with`` in code that a loop runs.
    """

    def made(method: Callable[P, AsyncIterator[T]]) -> Callable[P, Block[T]]:
        begun = asynccontextmanager(method)

        @functools.wraps(method)
        def called(*args: P.args, **kwargs: P.kwargs) -> Block[T]:
            return Block(begun(*args, **kwargs), what=what)

        return called

    return made


def require_async_with(what: str) -> None:
    """Check that no event loop runs here, because a plain ``with`` cannot wait in one.

    Raises:
        Conflict: an event loop runs here.
    """
    if running_loop() is not None:
        raise Conflict(
            f"An event loop runs this code, where {what} cannot be a plain 'with' block.",
            hint=f"Write 'async with {what}'.",
        )
