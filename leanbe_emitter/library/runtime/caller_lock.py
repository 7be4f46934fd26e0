"""A lock that makes callers of a handle, in threads and in a loop, attempt one after the other."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from leanbe_emitter.delivery.event_loops import is_running_loop, running_loop

#: How often a caller in an event loop tries to take the lock, in seconds.
TRY_SECONDS = 0.002
#: How often a caller without a loop checks whether the holder's loop has stopped, in seconds.
CHECK_SECONDS = 0.1


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
            if lock.acquire(timeout=0 if is_running_loop() else CHECK_SECONDS):
                if self._begin(lock):
                    return lock
            elif not self._replaced_abandoned(lock) and is_running_loop():
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
