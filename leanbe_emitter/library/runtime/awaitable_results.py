"""Results of waiting methods, and what an asynchronous caller gets before it awaits one.

A result is complete, and gives itself when it is awaited. So one declared type serves both kinds of
callers: ``leanbe.deliver()`` without an event loop, and ``await leanbe.deliver()`` with one.

An asynchronous call runs only when it is awaited. A test that forgets the ``await`` would pass
whatever its receiver does. So any other use of the awaitable is an error, and so is any further
call of the handle before the ``await``, and closing the handle.
"""

import asyncio
import sys
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, Self, TypeVar

from leanbe_emitter.delivery.in_process.call import current_call
from leanbe_emitter.delivery.in_process.stack_location import shown_path
from leanbe_emitter.errors import NotAwaited

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
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == _PACKAGE
