"""Waiting methods: one API for callers with an event loop and without one.

Each is one coroutine. Where no loop runs, it is driven by hand on the caller's thread: nothing in
it waits for a loop there, and what needs one enters the handle's own for as long as it lasts
(``home``). Where a loop runs, the caller gets something to await, and the coroutine runs in that
very loop. So a waiting method can be awaited by another one, too.
"""

import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast

from leanbe_emitter.delivery.loops import is_running_loop
from leanbe_emitter.errors import Conflict
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.runtime.unawaited import Pending, is_waiting

T = TypeVar("T")
P = ParamSpec("P")


class Waits(Protocol):
    """Who has waiting methods."""

    _transactions: Transactions


W = TypeVar("W", bound=Waits)


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
    what: str,
) -> Callable[
    [Callable[Concatenate[W, P], Coroutine[Any, Any, T]]], Callable[Concatenate[W, P], T]
]:
    """Make a waiting method of a coroutine.

    Args:
        what: the call in words, for whoever forgets to await it (``leanbe.deliver()``).
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
            if not is_running_loop():
                return drive(work)
            # It is declared as what it gives.
            return cast("T", Pending(work, what=what, among=self._transactions.unawaited))

        return called

    return made


class Block(AbstractContextManager[T], AbstractAsyncContextManager[T], Generic[T]):
    """A block at whose end its caller waits: ``with``, or ``async with`` where a loop runs."""

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
    """Make a block at whose end its caller waits of a coroutine that yields once.

    Args:
        what: the call in words, for whoever writes ``with`` where a loop runs.
    """

    def made(method: Callable[P, AsyncIterator[T]]) -> Callable[P, Block[T]]:
        begun = asynccontextmanager(method)

        @functools.wraps(method)
        def called(*args: P.args, **kwargs: P.kwargs) -> Block[T]:
            return Block(begun(*args, **kwargs), what=what)

        return called

    return made


def require_async_with(what: str) -> None:
    """See to it that no event loop runs here, because a plain ``with`` cannot wait there.

    Raises:
        Conflict: one does.
    """
    if is_running_loop():
        raise Conflict(
            f"A block of {what} was begun by 'with' in code that an event loop runs.",
            hint=f"Write 'async with {what}'.",
        )
