"""Waiting methods: one API for callers with an event loop and without one.

Each waiting method is one coroutine. If no event loop runs, ``drive`` runs the coroutine on the
caller's thread: nothing in it waits for a loop, and work that needs one uses ``LoopRunner``. If a
loop runs, the caller gets an awaitable, and the coroutine runs in that loop. So a waiting method
can await another one, too.

A result is complete, and gives itself when it is awaited. So one declared type serves both kinds of
callers: ``leanbe.deliver()`` without an event loop, and ``await leanbe.deliver()`` with one.

An asynchronous call runs only when it is awaited. A test that forgets the ``await`` would pass
whatever its receiver does. So any other use of the awaitable is an error, and so is any further
call of the handle before the ``await``, and closing the handle.

What other processes do is waited for by polling (``wait_until``).
"""

import asyncio
import functools
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, Protocol, Self, TypeVar, cast

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.event_loops import running_loop, sleep
from leanbe_emitter.delivery.in_process.call import current_call
from leanbe_emitter.delivery.in_process.stack_location import shown_path
from leanbe_emitter.errors import Conflict, NotAwaited, WaitTimedOut, check_type
from leanbe_emitter.hints import LIST_DELIVERIES, Hint

T = TypeVar("T")


class Itself:
    """A result that gives itself when it is awaited."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, Self]:
        """Return the result itself, at once."""
        yield from ()
        return self


class Results(list[T], Itself):
    """A list of results."""

    __slots__ = ()


class Nothing(Itself):
    """The result of a waiting method that has nothing to return."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Nothing()"


#: The only instance.
NOTHING = Nothing()


T_co = TypeVar("T_co", covariant=True)

_PACKAGE = __name__.partition(".")[0]

_WAITING: ContextVar[bool] = ContextVar("leanbe_emitter_waiting", default=False)


@contextmanager
def is_waiting() -> Iterator[None]:
    """Let the code of a waiting method use the handle while other calls are not awaited."""
    before = _WAITING.get()
    _WAITING.set(True)
    try:
        yield
    finally:
        # set, not reset: a coroutine may be closed in another context.
        _WAITING.set(before)


class Unawaited:
    """The calls of a handle that are not awaited yet."""

    def __init__(self) -> None:
        self._calls: dict[int, Pending[Any]] = {}

    def add(self, call: "Pending[Any]") -> None:
        """Add a call that must be awaited."""
        self._calls[id(call)] = call

    def remove(self, call: "Pending[Any]") -> None:
        """Remove a call that is awaited, or closed."""
        self._calls.pop(id(call), None)

    def require_none(self) -> None:
        """Check that the present code has awaited its calls.

        Raises:
            NotAwaited: a call was not awaited.
        """
        __tracebackhide__ = True
        if not self._calls or _WAITING.get() or current_call() is not None:
            return
        for call in [*self._calls.values()]:
            if not call.is_scheduled():
                raise call.not_awaited()

    def close(self) -> None:
        """Close all calls that are not awaited.

        Raises:
            NotAwaited: there was such a call.
        """
        __tracebackhide__ = True
        errors = [call.not_awaited() for call in [*self._calls.values()]]
        if errors:
            raise errors[0]


class Pending(Coroutine[Any, Any, T_co]):
    """A call of a waiting method that is not awaited yet. It can be awaited once.

    It is a coroutine, so that a task can run it.

    Args:
        work: the coroutine that runs when the call is awaited.
        what: the call in words.
        among: the calls that are not awaited yet, this one included.
    """

    def __init__(self, work: Coroutine[Any, Any, T_co], *, what: str, among: Unawaited) -> None:
        self._work = work
        self._what = what
        self._path, self._line = _caller()
        self._loop = asyncio.get_running_loop()
        self._among = among
        among.add(self)

    def is_scheduled(self) -> bool:
        """Return whether a task will run the call, and has not begun."""
        return any(task.get_coro() is self for task in asyncio.all_tasks(self._loop))

    def not_awaited(self) -> NotAwaited:
        """Close the call, and return the error about the missing await."""
        self.close()
        return NotAwaited(
            f"{self._what} at {shown_path(self._path)}:{self._line} was not awaited.",
            hint=f"An event loop runs this code: write 'await {self._what}'.",
        )

    def __await__(self) -> Generator[Any, Any, T_co]:
        self._among.remove(self)
        return self._work.__await__()

    def send(self, value: Any) -> Any:
        """Continue, as a coroutine does."""
        self._among.remove(self)
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error at the point of waiting, as a coroutine does."""
        self._among.remove(self)
        return self._work.throw(*error)

    def close(self) -> None:
        """Close the call without running it."""
        self._among.remove(self)
        self._work.close()

    def __repr__(self) -> str:
        return f"<{self._what} at {shown_path(self._path)}:{self._line}, to be awaited>"

    def __getattr__(self, name: str) -> Any:
        # asyncio and debuggers read attributes of coroutines (cr_frame), and Python those of all.
        if name.startswith(("_", "cr_", "gi_", "ag_")):
            return getattr(object.__getattribute__(self, "_work"), name)
        __tracebackhide__ = True
        raise self.not_awaited()

    def _refuse(self, *_: object) -> NoReturn:
        __tracebackhide__ = True
        raise self.not_awaited()

    __hash__ = object.__hash__
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __len__ = __iter__ = __getitem__ = __contains__ = __reversed__ = _refuse
    __add__ = __radd__ = _refuse


def _caller() -> tuple[str, int]:
    """Return the file and line of the innermost caller outside this package."""
    frame = sys._getframe(1)  # noqa: SLF001 - there is no other way to see a caller
    while frame.f_back is not None:
        module: str = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] != _PACKAGE:
            break
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


P = ParamSpec("P")


class HasUnawaited(Protocol):
    """An object that knows which calls are not awaited yet: the handle's transactions."""

    unawaited: Unawaited


class HasTransactions(Protocol):
    """A class that has waiting methods."""

    @property
    def _transactions(self) -> HasUnawaited: ...


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
