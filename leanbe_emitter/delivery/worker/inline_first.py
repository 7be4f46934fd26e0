"""A seam for a file of SQLite: on the loop's own thread, as long as it waits for nothing there.

To hand work to a thread and to take it back costs as much as the work of a few deliveries. But who
locks the file, or a slow disk, must not hold up what the loop sends meanwhile: then the database's
own thread does the work.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import TypeVar

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.storage.engine.nonblocking import WouldBlock, nonblocking

#: Work that took longer than this on the loop's thread was too slow for it, in seconds.
SLOW_SECONDS = 0.05
#: For how long the thread does the work after that, in seconds.
SPARED_SECONDS = 5.0

T = TypeVar("T")


class InlineFirst:
    """Does work of the running loop.

    Work that is refused a transaction is done again from its beginning: it must not have changed
    anything before the first one that it writes in, and must have one of those at the most.

    Args:
        thread: does what cannot be done on the loop's own thread, one after the other.
        now: tells how long something took, in seconds.
    """

    def __init__(self, thread: Executor, *, now: Callable[[], float] = stopwatch) -> None:
        self._thread = thread
        self._now = now
        self._handed_over = 0
        self._spared_until = float("-inf")

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Do the work and return what it returns."""
        return self._do(work)

    async def _do(self, work: Callable[[], T]) -> T:
        # What comes while the thread is at work comes behind that.
        if not self._handed_over and self._now() >= self._spared_until:
            try:
                return self._at_once(work)
            except WouldBlock:
                pass
        return await self._hand_over(work)

    def _at_once(self, work: Callable[[], T]) -> T:
        began_at = self._now()
        try:
            with nonblocking():
                return work()
        finally:
            ended_at = self._now()
            if ended_at - began_at > SLOW_SECONDS:
                self._spared_until = ended_at + SPARED_SECONDS

    async def _hand_over(self, work: Callable[[], T]) -> T:
        self._handed_over += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._handed_over -= 1
