"""The event loop of a handle: runs the work that needs a loop, for callers with and without one.

Attempts run on the caller's thread without an event loop, because code such as Django forbids one.
Only work that needs a loop (the network, an ASGI app) enters the handle's loop while it lasts. The
handle's loop is the first of these: the loop of its last asynchronous caller, in whichever thread
it runs; the loop that was set for the thread, as in a synchronous test with asynchronous fixtures;
a loop of the handle's own. Connections and the objects of an app belong to that loop.

Ctrl-C ends the attempt in flight, and never the queue's bookkeeping. The first Ctrl-C is noted: it
cancels a request over the network, and interrupts a receiver in this process. The queue's own steps
(claim, settle, release) finish before ``KeyboardInterrupt`` is raised. A second Ctrl-C raises it at
once.
"""

import asyncio
import concurrent.futures
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from types import FrameType
from typing import Any, TypeVar

from leanbe_emitter.delivery.event_loops import running_loop
from leanbe_emitter.delivery.in_process.call import current_call
from leanbe_emitter.errors import Conflict

#: How often a caller in an event loop tries to take the lock, in seconds.
TRY_SECONDS = 0.002
#: How often a caller without a loop checks whether the holder's loop has stopped, in seconds.
CHECK_SECONDS = 0.1


def require_no_receiver() -> None:
    """Check that no receiver in this process runs this code.

    Raises:
        Conflict: a receiver does.
    """
    if current_call() is not None:
        raise Conflict(
            "No attempts can be made from inside a receiver, before it has answered.",
            hint="Record events only: they are delivered when the receiver has answered.",
        )


def require_no_loop() -> None:
    """Check that this thread runs no event loop, before it runs one of ours.

    Raises:
        Conflict: the thread runs an event loop.
    """
    if running_loop() is not None:
        raise Conflict(
            "These attempts need a thread that runs no event loop.",
            hint="In asynchronous code, call it in a thread: await asyncio.to_thread(...).",
        )


class Interrupts:
    """Handles Ctrl-C while attempts are made, unless other code handles it."""

    def __init__(self) -> None:
        self._has_come = False
        self._task: asyncio.Task[object] | None = None

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Handle Ctrl-C while the block lasts.

        Raises:
            KeyboardInterrupt: a Ctrl-C came, and was not raised yet.
        """
        if not _may_handle():
            yield
            return
        signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            has_come, self._has_come = self._has_come, False
        if has_come:
            raise KeyboardInterrupt

    @contextmanager
    def cancelling(self) -> Iterator[None]:
        """Let Ctrl-C cancel the running task while the block lasts, also one that came before."""
        self._task = asyncio.current_task()
        if self._has_come and self._task is not None:
            self._task.cancel()
        try:
            yield
        finally:
            self._task = None

    def check(self) -> None:
        """Raise a Ctrl-C that was noted.

        Raises:
            KeyboardInterrupt: a Ctrl-C came.
        """
        if self._has_come:
            raise KeyboardInterrupt

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self._has_come or current_call() is not None:
            raise KeyboardInterrupt
        self._has_come = True
        if self._task is not None:
            # The loop may be waiting for I/O; this wakes it.
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)


def _may_handle() -> bool:
    if running_loop() is not None:
        return False  # the loop's owner cancels the task
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


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
        if running_loop() is not None:
            self.adopt()
            return await work()
        interruptible: Work[T] = partial(self._work_interruptibly, work)
        loop = self._loop()
        try:
            if loop is not None and loop.is_running():
                return asyncio.run_coroutine_threadsafe(interruptible(), loop).result()
            with self._lock:
                run = partial(self._run, interruptible, loop)
                return _in_thread(run) if _is_trio() else run()
        except (asyncio.CancelledError, concurrent.futures.CancelledError) as error:
            self.interrupts.check()
            raise asyncio.CancelledError from error

    def close(self) -> None:
        """Close the handle's own loop."""
        if running_loop() is not None or _is_trio():
            _in_thread(self._own.close)
        else:
            self._own.close()

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


class CallerLock:
    """A lock that one caller after the other holds.

    A holder whose event loop was stopped (by Ctrl-C, or by a test's timeout) does not continue by
    itself, so it loses the lock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The holder's loop; None if the holder has none, or there is no holder yet.
        self._loop: asyncio.AbstractEventLoop | None = None
        # Reentrant: while a thread changes the state, the garbage collector may end a stopped task.
        self._changing = threading.RLock()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the lock while the block lasts."""
        lock = await self._acquired()
        try:
            yield
        finally:
            self._end(lock)

    async def _acquired(self) -> threading.Lock:
        while True:
            lock = self._lock
            # A caller in a loop must not block the loop: the holder may need it.
            if lock.acquire(timeout=0 if running_loop() is not None else CHECK_SECONDS):
                if self._begin(lock):
                    return lock
            elif not self._replaced_abandoned(lock) and running_loop() is not None:
                await asyncio.sleep(TRY_SECONDS)

    def _begin(self, lock: threading.Lock) -> bool:
        """Note the holder's loop; return False if another caller replaced the lock meanwhile."""
        loop = running_loop()
        with self._changing:
            if lock is not self._lock:
                lock.release()
                return False
            self._loop = loop
            return True

    def _end(self, lock: threading.Lock) -> None:
        with self._changing:
            if lock is self._lock:
                self._loop = None
        lock.release()

    def _replaced_abandoned(self, lock: threading.Lock) -> bool:
        with self._changing:
            loop = self._loop
            if lock is not self._lock or loop is None or loop.is_running():
                return False
            self._lock, self._loop = threading.Lock(), None
            return True


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
