"""Ways from an event loop to the synchronous database: a thread, or the loop's own thread.

Work on a SQLite file runs on the loop's own thread, as long as it does not block there.

Handing work to another thread and back costs as much as the work for a few deliveries. But a locked
file or a slow disk must not delay the requests that the loop sends. In those cases the database's
thread does the work.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.storage.engine.sqlite import WouldBlock, nowait

#: Longest time that work may take on the loop's thread, in seconds.
SLOW_SECONDS = 0.05
#: How long the database's thread does all work after slower work, in seconds.
THREAD_SECONDS = 5.0

T = TypeVar("T")


class DatabaseCaller(Protocol):
    """The one way from an event loop to the database."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Run the work and return its result."""
        ...


async def inline(work: Callable[[], T], /) -> T:
    """Run the work on the caller's own thread."""
    return work()


class InlineFirst:
    """Run database work inline, or on a thread where it would block.

    Work that would block is run again from its beginning. So it must change nothing before its
    first writing transaction, and must have at most one of these.

    Args:
        thread: runs work that would block, one piece after the other.
        now: a stopwatch, in seconds.
    """

    def __init__(self, thread: Executor, *, now: Callable[[], float] = stopwatch) -> None:
        self._thread = thread
        self._now = now
        self._handed_over = 0
        self._inline_again_at = float("-inf")

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Run the work and return its result."""
        # While the thread is busy, new work queues behind it.
        if not self._handed_over and self._now() >= self._inline_again_at:
            try:
                return self._inline(work)
            except WouldBlock:
                pass
        return await self._hand_over(work)

    def _inline(self, work: Callable[[], T]) -> T:
        began_at = self._now()
        try:
            with nowait():
                return work()
        finally:
            ended_at = self._now()
            if ended_at - began_at > SLOW_SECONDS:
                self._inline_again_at = ended_at + THREAD_SECONDS

    async def _hand_over(self, work: Callable[[], T]) -> T:
        self._handed_over += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._handed_over -= 1
