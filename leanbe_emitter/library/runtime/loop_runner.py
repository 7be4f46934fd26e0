"""The event loop of one handle, and attempts that are made around it.

An asynchronous caller's own loop is the handle's home from then on. For others, attempts are driven
by hand on the caller's thread, where no event loop runs: Django and whoever else forbids one can be
called there. Only what needs a loop, the network or an ASGI app, enters the home for as long as it
lasts: the loop of an asynchronous caller, in whichever thread it runs; or, in a synchronous test
whose fixtures are asynchronous, the loop that was set for its thread; or else one of the handle's
own. Connections, and what an app made in it, belong to it.
"""

import asyncio
import concurrent.futures
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, TypeVar

from leanbe_emitter.delivery.loops import is_running_loop, running_loop
from leanbe_emitter.library.runtime.interrupts import Interrupts

T = TypeVar("T")

#: Begins what needs a loop, in that loop.
Work = Callable[[], Coroutine[Any, Any, T]]


class LoopRunner:
    """Runs what needs an event loop.

    Args:
        meanwhile: what goes on in the loop while something runs in it.

    Attributes:
        interrupts: Ctrl-C, which cancels what runs here.
    """

    def __init__(self, *, meanwhile: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        self.interrupts = Interrupts()
        self._meanwhile = meanwhile
        self._own = asyncio.Runner(loop_factory=_loop)
        self._is_own_used = False
        self._others: asyncio.AbstractEventLoop | None = None
        # A loop that does not run is entered by one thread at a time.
        self._lock = threading.Lock()
        self.adopt()

    def adopt(self) -> None:
        """Live in the loop that runs here from now on, if one does."""
        self._others = running_loop() or self._others

    async def enter(self, work: Work[T]) -> T:
        """Do the work in the loop that runs here or, where there is none, in the home."""
        if is_running_loop():
            self.adopt()
            return await work()
        try:
            return self._enter(partial(self._accompanied, work))
        except (asyncio.CancelledError, concurrent.futures.CancelledError) as error:
            self.interrupts.check()
            raise asyncio.CancelledError from error

    def close(self) -> None:
        """Close the handle's own loop."""
        if is_running_loop() or _is_trio():
            _beside(self._own.close)
        else:
            self._own.close()

    def _enter(self, work: Work[T]) -> T:
        loop = self._loop()
        if loop is not None and loop.is_running():
            return asyncio.run_coroutine_threadsafe(work(), loop).result()
        with self._lock:
            if _is_trio():
                return _beside(partial(self._run, work, loop))
            return self._run(work, loop)

    def _loop(self) -> asyncio.AbstractEventLoop | None:
        """Return the loop of others that is the home; None for the handle's own."""
        if self._others is None and not self._is_own_used:
            self._others = _loop_of_thread()
        if self._others is not None and self._others.is_closed():
            self._others = None
        return self._others

    def _run(self, work: Work[T], loop: asyncio.AbstractEventLoop | None) -> T:
        if loop is not None:
            return loop.run_until_complete(work())
        self._is_own_used = True
        return self._own.run(work())

    async def _accompanied(self, work: Work[T]) -> T:
        with self.interrupts.cancelling():
            async with self._meanwhile():
                return await work()


class _Threads(ThreadPoolExecutor):
    """The threads of a loop, which does not wait for them when it is closed.

    Code of a receiver, or a name's resolution, may hang in one of them for ever.
    """

    def shutdown(self, wait: bool = True, **_: bool) -> None:  # noqa: ARG002, FBT001, FBT002 - not ours
        """Begin no more work; what runs goes on by itself."""
        super().shutdown(wait=False, cancel_futures=True)


def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Threads(thread_name_prefix="asyncio_leanbe"))
    return loop


def _loop_of_thread() -> asyncio.AbstractEventLoop | None:
    """Return the loop that somebody has set for this thread; make none."""
    if sys.version_info >= (3, 14):
        try:
            return asyncio.get_event_loop()
        except RuntimeError:
            return None
    # get_event_loop() would make one, or warn.
    local = getattr(asyncio.get_event_loop_policy(), "_local", None)
    return getattr(local, "_loop", None)


def _is_trio() -> bool:
    """Say whether trio runs in this thread: a loop of asyncio inside of it confuses both."""
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())


def _beside(work: Callable[[], T]) -> T:
    """Do the work in a thread of its own, and wait for it here."""
    with ThreadPoolExecutor(1, "leanbe-home") as thread:
        return thread.submit(work).result()
