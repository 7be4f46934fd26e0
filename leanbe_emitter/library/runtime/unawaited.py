"""What asynchronous callers get: something to await, which says so when it is used otherwise.

Nothing is done before it is awaited, so a call that nobody awaits would be a test that passes
whatever its receiver does. Whatever is asked of the handle meanwhile is refused, and so is its end.
"""

import asyncio
import sys
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

from leanbe_emitter.delivery.in_process.call import current_call
from leanbe_emitter.delivery.in_process.stack_location import shown_path
from leanbe_emitter.errors import NotAwaited

T_co = TypeVar("T_co", covariant=True)

_PACKAGE = __name__.partition(".")[0]

_WAITING: ContextVar[bool] = ContextVar("leanbe_emitter_waiting", default=False)


@contextmanager
def is_waiting() -> Iterator[None]:
    """Let the block use the handle, whatever is not awaited: it is a waiting method's own code."""
    before = _WAITING.get()
    _WAITING.set(True)
    try:
        yield
    finally:
        # By set, and not by reset: a coroutine may be closed in another context.
        _WAITING.set(before)


class Unawaited:
    """The calls of a handle that nobody has awaited yet."""

    def __init__(self) -> None:
        self._calls: dict[int, Pending[Any]] = {}

    def add(self, call: "Pending[Any]") -> None:
        """Expect a call to be awaited."""
        self._calls[id(call)] = call

    def remove(self, call: "Pending[Any]") -> None:
        """Take note that a call is awaited, or given up."""
        self._calls.pop(id(call), None)

    def require_none(self) -> None:
        """See to it that the present code has awaited what it called.

        Raises:
            NotAwaited: it has not.
        """
        __tracebackhide__ = True
        if not self._calls or _WAITING.get() or current_call() is not None:
            return
        for call in [*self._calls.values()]:
            if not call.is_scheduled():
                raise call.given_up()

    def close(self) -> None:
        """Expect nothing any more.

        Raises:
            NotAwaited: something was not awaited.
        """
        __tracebackhide__ = True
        errors = [call.given_up() for call in [*self._calls.values()]]
        if errors:
            raise errors[0]


class Pending(Coroutine[Any, Any, T_co]):
    """A call of a waiting method, before it is awaited; afterwards it is spent.

    It is a coroutine, so that tasks can be made of it.

    Args:
        work: what is done when it is awaited.
        what: the call in words.
        among: where it stands until then.
    """

    def __init__(self, work: Coroutine[Any, Any, T_co], *, what: str, among: Unawaited) -> None:
        self._work = work
        self._what = what
        self._path, self._line = _caller()
        self._loop = asyncio.get_running_loop()
        self._among = among
        among.add(self)

    def is_scheduled(self) -> bool:
        """Say whether a task was made of it, which has not begun yet."""
        return any(task.get_coro() is self for task in asyncio.all_tasks(self._loop))

    def given_up(self) -> NotAwaited:
        """Give it up, and return the error of whoever forgot to await it: it is told once."""
        self.close()
        return NotAwaited(
            f"{self._what} at {shown_path(self._path)}:{self._line} was not awaited.",
            hint=f"An event loop runs this code: write 'await {self._what}'.",
        )

    def __await__(self) -> Generator[Any, Any, T_co]:
        self._among.remove(self)
        return self._work.__await__()

    def send(self, value: Any) -> Any:
        """Go on, as a coroutine does."""
        self._among.remove(self)
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        """Raise an error where it waits, as a coroutine does."""
        self._among.remove(self)
        return self._work.throw(*error)

    def close(self) -> None:
        """Give it up."""
        self._among.remove(self)
        self._work.close()

    def __repr__(self) -> str:
        return f"<{self._what} at {shown_path(self._path)}:{self._line}, to be awaited>"

    def __getattr__(self, name: str) -> Any:
        # What asyncio and debuggers ask of coroutines (cr_frame), and Python of everything.
        if name.startswith(("_", "cr_", "gi_", "ag_")):
            return getattr(object.__getattribute__(self, "_work"), name)
        __tracebackhide__ = True
        raise self.given_up()

    def _refuse(self, *_: object) -> NoReturn:
        __tracebackhide__ = True
        raise self.given_up()

    __hash__ = object.__hash__
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __len__ = __iter__ = __getitem__ = __contains__ = __reversed__ = _refuse
    __add__ = __radd__ = _refuse


def _caller() -> tuple[str, int]:
    """Return the file and line of the innermost code that is not this package's."""
    frame = sys._getframe(1)  # noqa: SLF001 - there is no other way to see a caller
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == _PACKAGE
