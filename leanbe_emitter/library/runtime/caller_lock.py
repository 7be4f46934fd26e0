"""Callers that share a handle make attempts one after the other, in threads and in a loop."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from leanbe_emitter.delivery.loops import is_running_loop, running_loop

#: How often somebody in an event loop asks whether it is their turn, in seconds.
LOOK_SECONDS = 0.002
#: How often somebody without one looks whether who has the turn was left behind, in seconds.
LOOK_BEHIND_SECONDS = 0.1


class CallerLock:
    """Gives one caller after the other a turn.

    A task whose loop was stopped in the midst of a turn (by Ctrl-C, or by a test's timeout) does
    not go on by itself: it has lost its turn.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Of who has the turn; None: in none, or nobody has it, or has not said yet.
        self._loop: asyncio.AbstractEventLoop | None = None
        # Whoever holds it may end another's turn: the collector ends tasks that were left behind.
        self._changing = threading.RLock()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Have a turn for as long as the block lasts."""
        lock = await self._acquired()
        try:
            yield
        finally:
            self._end(lock)

    async def _acquired(self) -> threading.Lock:
        while True:
            lock = self._lock
            # Who waits in a loop must not hold it up: whoever has the turn may need it.
            if lock.acquire(timeout=0 if is_running_loop() else LOOK_BEHIND_SECONDS):
                if self._begin(lock):
                    return lock
            elif not self._takes_from_who_was_left_behind(lock) and is_running_loop():
                await asyncio.sleep(LOOK_SECONDS)

    def _begin(self, lock: threading.Lock) -> bool:
        """Note where the turn is had; return False where it was taken away before it was given."""
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

    def _takes_from_who_was_left_behind(self, lock: threading.Lock) -> bool:
        with self._changing:
            loop = self._loop
            if lock is not self._lock or loop is None or loop.is_running():
                return False
            self._lock, self._loop = threading.Lock(), None
            return True
