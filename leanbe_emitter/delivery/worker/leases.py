"""Leases during attempts: renew them during long attempts, and report those that were lost."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.event_loops import in_background, running_loop
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.queue_types import Claimed
from leanbe_emitter.delivery.worker.database_caller import DatabaseCaller, inline
from leanbe_emitter.errors import DatabaseUnavailable

logger = logging.getLogger(__name__)

#: Number of renewals in the length of a lease: one late renewal loses nothing.
RENEWALS = 3


def renewing(
    queue: Queue, held: Callable[[], Collection[Claimed]], *, call: DatabaseCaller
) -> AbstractAsyncContextManager[None]:
    """Renew the leases of held deliveries while the block lasts."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(queue.lease_seconds / RENEWALS)
            with suppress(DatabaseUnavailable):
                await call(partial(queue.renew, held()))

    return in_background(renew)


class Renewals:
    """Renew the leases that a foreground caller holds.

    They are renewed before each attempt when that is due, and during an attempt where a loop runs.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._held: Collection[Claimed] = ()
        self._renewed_at = 0.0

    @asynccontextmanager
    async def of(self, held: Collection[Claimed]) -> AsyncIterator[None]:
        """Hold these leases while the block lasts; renew them in the background if a loop runs."""
        self._held, self._renewed_at = held, stopwatch()
        try:
            if running_loop() is not None:
                async with self.meanwhile():
                    yield
            else:
                yield
        finally:
            self._held = ()

    def meanwhile(self) -> AbstractAsyncContextManager[None]:
        """Renew them in the running loop while the block lasts."""
        return renewing(self._queue, lambda: self._held, call=inline)

    def catch_up(self) -> None:
        """Renew them if that is due."""
        if stopwatch() - self._renewed_at >= self._queue.lease_seconds / RENEWALS:
            self._renewed_at = stopwatch()
            with suppress(DatabaseUnavailable):
                self._queue.renew(self._held)


def log_lost_leases(lost: Collection[Claimed], *, deleted: Collection[str]) -> None:
    """Log that settlements came too late: other workers hold the deliveries, or they are deleted.

    Args:
        lost: deliveries that were not settled.
        deleted: ids of deliveries that were deleted, for example by a reset; they need no warning.
    """
    for claimed in lost:
        if claimed.delivery_id not in deleted:
            logger.warning(
                "The lease was lost: another worker has the delivery, and nothing was changed.",
                extra={"delivery": claimed.delivery_id, "attempt": claimed.number},
            )
    if deleted:
        logger.info(
            "Attempts ended whose deliveries were deleted, as by a reset: nothing was changed.",
            extra={"attempts": len(deleted)},
        )
