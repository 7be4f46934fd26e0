"""The event loop of a handle: runs the work that needs a loop, for callers with and without one.

Attempts run on the caller's thread without an event loop, because code such as Django forbids one.
Only work that needs a loop (the network, an ASGI app) enters the handle's loop while it lasts. The
handle's loop is the first of these: the loop of its last asynchronous caller, in whichever thread
it runs; the loop that was set for the thread, as in a synchronous test with asynchronous fixtures;
a loop of the handle's own. Connections and the objects of an app belong to that loop.
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

#: Starts work that needs a loop, in that loop.
Work = Callable[[], Coroutine[Any, Any, T]]


class LoopRunner:
    """Runs work that needs an event loop.

    Args:
        meanwhile: a block that the loop also runs while it runs the work.

    Attributes:
        interrupts: handles Ctrl-C, which cancels the work.
    """

    def __init__(self, *, meanwhile: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        self.interrupts = Interrupts()
        self._meanwhile = meanwhile
        self._own = asyncio.Runner(loop_factory=_loop)
        self._is_own_used = False
        self._caller_loop: asyncio.AbstractEventLoop | None = None
        # One thread at a time may run a loop that does not run yet.
        self._lock = threading.Lock()
        self.adopt()

    def adopt(self) -> None:
        """Use the loop that runs here from now on, if one does."""
        self._caller_loop = running_loop() or self._caller_loop

    async def enter(self, work: Work[T]) -> T:
        """Do the work in the loop that runs here; if none does, in the handle's loop."""
        if is_running_loop():
            self.adopt()
            return await work()
        try:
            return self._enter(partial(self._work_interruptibly, work))
        except (asyncio.CancelledError, concurrent.futures.CancelledError) as error:
            self.interrupts.check()
            raise asyncio.CancelledError from error

    def close(self) -> None:
        """Close the handle's own loop."""
        if is_running_loop() or _is_trio():
            _in_thread(self._own.close)
        else:
            self._own.close()

    def _enter(self, work: Work[T]) -> T:
        loop = self._loop()
        if loop is not None and loop.is_running():
            return asyncio.run_coroutine_threadsafe(work(), loop).result()
        with self._lock:
            if _is_trio():
                return _in_thread(partial(self._run, work, loop))
            return self._run(work, loop)

    def _loop(self) -> asyncio.AbstractEventLoop | None:
        """Return the loop of a caller or of the thread; None: the handle uses its own."""
        if self._caller_loop is None and not self._is_own_used:
            self._caller_loop = _loop_of_thread()
        if self._caller_loop is not None and self._caller_loop.is_closed():
            self._caller_loop = None
        return self._caller_loop

    def _run(self, work: Work[T], loop: asyncio.AbstractEventLoop | None) -> T:
        if loop is not None:
            return loop.run_until_complete(work())
        self._is_own_used = True
        return self._own.run(work())

    async def _work_interruptibly(self, work: Work[T]) -> T:
        with self.interrupts.cancelling():
            async with self._meanwhile():
                return await work()


class _Threads(ThreadPoolExecutor):
    """The thread pool of a loop. Closing the loop does not wait for the threads.

    A receiver's code, or the resolution of a host name, may hang in a thread for ever.
    """

    def shutdown(self, wait: bool = True, **_: bool) -> None:  # noqa: ARG002, FBT001, FBT002 - the base's signature
        """Start no more work; running threads continue by themselves."""
        super().shutdown(wait=False, cancel_futures=True)


def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Threads(thread_name_prefix="asyncio_leanbe"))
    return loop


def _loop_of_thread() -> asyncio.AbstractEventLoop | None:
    """Return the loop that is set for this thread, if there is one; create none."""
    if sys.version_info >= (3, 14):
        try:
            return asyncio.get_event_loop()
        except RuntimeError:
            return None
    # get_event_loop() would create a loop, or warn.
    local = getattr(asyncio.get_event_loop_policy(), "_local", None)
    return getattr(local, "_loop", None)


def _is_trio() -> bool:
    """Return whether trio runs in this thread: asyncio inside trio breaks both."""
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())


def _in_thread(work: Callable[[], T]) -> T:
    """Do the work in another thread, and wait for it here."""
    with ThreadPoolExecutor(1, "leanbe-home") as thread:
        return thread.submit(work).result()
