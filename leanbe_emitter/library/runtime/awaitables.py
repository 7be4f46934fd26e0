"""Waiting methods: one API for callers with an event loop and without one; they wait by polling.

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

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.event_loops import running_loop, sleep
from leanbe_emitter.errors import Conflict, WaitTimedOut, check_type
from leanbe_emitter.hints import LIST_DELIVERIES, Hint
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


#: The pause between two polls, in seconds.
POLL_SECONDS = 0.05


async def wait_until(
    is_met: Callable[[], bool],
    *,
    timeout_seconds: float,
    came: Callable[[], str],
    why: Callable[[], Hint] = lambda: Hint.same("Is a worker running?"),
) -> None:
    """Poll until a condition is met.

    Args:
        is_met: the condition.
        timeout_seconds: how long to wait.
        came: describes what happened so far, for the error.
        why: describes why the condition is not met, for the error's hint.

    Raises:
        WaitTimedOut: the condition was not met in that time.
    """
    check_type(timeout_seconds, int, float, what="timeout_seconds", words="a number of seconds")
    started = stopwatch()
    while not is_met():
        left = timeout_seconds - (stopwatch() - started)
        if left <= 0:
            raise WaitTimedOut(
                f"After {timeout_seconds:g} s {came()}.",
                hint=why().then(LIST_DELIVERIES.between("", " shows what is pending.")),
            )
        await sleep(min(POLL_SECONDS, left))
