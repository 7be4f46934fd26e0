"""Leases while attempts are made: renewed when they take long, given up when they are broken off.

The queue is synchronous; a loop reaches it through one seam, which is a thread in the worker and
the caller's own thread in the embedded library.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Protocol, TypeVar

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.claims import Claimed, Evidence, Settlement
from leanbe_emitter.delivery.loops import in_background, is_running_loop
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome

logger = logging.getLogger(__name__)

#: A lease is renewed this many times in its length, so that one late renewal loses nothing.
RENEWALS = 3

T = TypeVar("T")


class DatabaseCaller(Protocol):
    """The one way from the loop to the database."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Do the work and return what it returns."""
        ...


async def inline(work: Callable[[], T], /) -> T:
    """Do the work on the caller's own thread."""
    return work()


def renewing(
    queue: Queue, held: Callable[[], Collection[Claimed]], *, call: DatabaseCaller
) -> AbstractAsyncContextManager[None]:
    """Renew the leases of what is held, for as long as the block lasts."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(queue.lease_seconds / RENEWALS)
            with suppress(DatabaseUnavailable):
                await call(partial(queue.renew, held()))

    return in_background(renew)


class Renewals:
    """The leases of what a caller in the foreground holds.

    They are renewed before each attempt if that is due, and during one by whoever has a loop.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._held: Collection[Claimed] = ()
        self._renewed_at = 0.0

    @asynccontextmanager
    async def of(self, held: Collection[Claimed]) -> AsyncIterator[None]:
        """Keep these leases while the block lasts; where no loop runs, it waits for none."""
        self._held, self._renewed_at = held, stopwatch()
        try:
            if is_running_loop():
                async with self.meanwhile():
                    yield
            else:
                yield
        finally:
            self._held = ()

    def meanwhile(self) -> AbstractAsyncContextManager[None]:
        """Renew them in the running loop for as long as the block lasts."""
        return renewing(self._queue, lambda: self._held, call=inline)

    def catch_up(self) -> None:
        """Renew them if that is due."""
        if stopwatch() - self._renewed_at >= self._queue.lease_seconds / RENEWALS:
            self._renewed_at = stopwatch()
            with suppress(DatabaseUnavailable):
                self._queue.renew(self._held)


def interrupted(claimed: Claimed, *, at: int) -> Settlement:
    """Return the settlement of an attempt that was broken off: unknown, and due again at once.

    Args:
        claimed: the delivery whose attempt it was.
        at: the present instant in milliseconds since 1970.
    """
    return claimed.settlement(
        state=DeliveryState.READY,
        due_at=at,
        counts=False,
        evidence=Evidence(
            outcome=Outcome.UNKNOWN,
            started_at=at,
            duration_us=0,
            url=claimed.webhook.url or "",
            error="The sender was stopped in the middle of this attempt.",
        ),
    )


def log_lost_leases(lost: Collection[Claimed], *, gone: Collection[str]) -> None:
    """Log that settlements came too late: somebody else has the deliveries, or they are gone.

    Args:
        lost: what was to be settled.
        gone: the ids of those that are there no more, as after a reset: nobody has to be warned.
    """
    for claimed in lost:
        if claimed.delivery_id not in gone:
            logger.warning(
                "The lease was lost: somebody else has the delivery, and nothing was changed.",
                extra={"delivery": claimed.delivery_id, "attempt": claimed.number},
            )
    if gone:
        logger.info(
            "Attempts ended whose deliveries are gone, as after a reset: nothing was changed.",
            extra={"attempts": len(gone)},
        )
