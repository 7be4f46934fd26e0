"""Worker loop: settle attempts that ended, claim due deliveries, begin their attempts, repeat.

The worker settles before it claims. After a stop it claims no more and lets attempts in flight
finish. Attempts that do not finish in time are settled as interrupted, and due again at once.
Deliveries that were claimed and not begun are released.

A turn is one ``poll`` of the queue, whatever its size. It settles every attempt that ended since
the last turn. So batches grow with the load, and a single delivery does not wait for a batch. A
hundred deliveries take five to eight statements and one commit. Meanwhile the loop sends.

While the database is unavailable, the worker keeps ended attempts. It asks again after 0.1 s, then
less and less often (``reconnect_pauses``). If this process can open no further connection, that is
no fault of a receiver: the worker hands such deliveries back without an attempt, and claims none
for ``SHORTAGE_SECONDS``. After a stop, it asks for ``LAST_SECONDS`` at most. A worker
never treats its own leases as lost, even if its machine slept.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol, cast

from leanbe_emitter.clock import Clock, stopwatch, to_milliseconds
from leanbe_emitter.delivery.attempt.sender import PlainAttempt, Sender
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.delivery.reconnect_pauses import Backoff
from leanbe_emitter.delivery.watching import Watcher, attempt_begun, attempt_made
from leanbe_emitter.delivery.worker.database_caller import DatabaseCaller
from leanbe_emitter.delivery.worker.leases import log_lost_leases, renewing
from leanbe_emitter.delivery.worker.metrics import Counters
from leanbe_emitter.delivery.worker.wakeups import Wakeups, no_wakeups
from leanbe_emitter.errors import DatabaseUnavailable, OutOfDescriptors
from leanbe_emitter.storage.schema.states import DUE, DeliveryState

logger = logging.getLogger(__name__)

#: How long a stop waits for attempts in flight, in seconds.
GRACE_SECONDS = 10.0
#: How long a busy worker may delay a wake-up until its next turn, in seconds.
BUSY_PAUSE_SECONDS = 0.002
#: How long a worker rests before it asks when the next delivery is due, in seconds: while events
#: come one after the other, it saves that question.
SHORT_REST_SECONDS = 0.02
#: How long a worker claims nothing after it could not open a connection, in seconds.
SHORTAGE_SECONDS = 0.5
#: Least time between two log lines about that, in seconds.
_QUIET_SECONDS = 60.0
#: How long a stopping worker keeps asking an unavailable database, in seconds.
LAST_SECONDS = 3.0


class _Attempt(Protocol):
    """An attempt in flight: a task, or an attempt without a task."""

    def cancel(self) -> object:
        """Interrupt it."""
        ...

    def cancelled(self) -> bool:
        """Say whether it was interrupted before it ended."""
        ...


class Worker:
    """Deliver due deliveries until stopped.

    Args:
        concurrency: attempts in flight at once.
        per_product: attempts of one product in flight at once (contract c.5).
        poll_seconds: how long an idle worker waits before it polls again, if nothing wakes it.
        call: runs the queue's methods for the loop.
        watcher: observes the attempts; None: nobody does, and they cost less.
        counters: counts the worker's actions.
        wakeups: signals that a delivery may be due.
        grace_seconds: how long a stop waits for attempts in flight.

    Attributes:
        database_error: why the database did not answer its last call; None where it answered.
    """

    def __init__(  # noqa: PLR0913 - the parts of a worker, each given from outside
        self,
        queue: Queue,
        sender: Sender,
        *,
        clock: Clock,
        concurrency: int,
        per_product: int,
        poll_seconds: float,
        call: DatabaseCaller,
        watcher: Watcher | None = None,
        counters: Counters | None = None,
        wakeups: Wakeups = no_wakeups,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._queue = queue
        self._sender = sender
        self._clock = clock
        self._concurrency = concurrency
        self._per_product = per_product
        self._poll_seconds = poll_seconds
        self._call = call
        self._watcher = watcher
        self._counters = counters or Counters()
        self._wakeups = wakeups
        self._grace_seconds = grace_seconds
        self._in_flight: dict[_Attempt, Claimed] = {}
        self._ended: list[tuple[Claimed, Settlement]] = []
        self._not_begun: list[Claimed] = []
        self._claims_again_at = self._quiet_until = float("-inf")
        self._wake_event = asyncio.Event()
        self._wake_timer: asyncio.TimerHandle | None = None
        self._is_stopping = False
        self._abandoned = 0
        self._backoff = Backoff()
        self.database_error: DatabaseUnavailable | None = None

    @property
    def in_flight(self) -> int:
        """Number of attempts in flight."""
        return len(self._in_flight)

    def stop(self) -> None:
        """Claim no more; ``run`` returns when the attempts in flight have ended."""
        self._is_stopping = True
        self._wake_event.set()

    async def abandon(self) -> None:
        """Interrupt attempts of deleted deliveries, and begin none that were claimed before.

        This settles nothing. Attempts of deliveries that still exist go on.
        """
        self._abandoned += 1
        deleted = await self._deleted_among(list(self._in_flight.values()))
        await self._interrupt(
            [attempt for attempt, each in self._in_flight.items() if each.delivery_id in deleted]
        )

    async def run(self, *, drain: bool = False) -> None:
        """Deliver until ``stop``; with ``drain``, until nothing is due."""
        async with renewing(self._queue, self._held, call=self._call), self._wakeups(self._wake):
            while not self._is_stopping:
                is_busy = await self._turn()
                if drain and not (is_busy or self._in_flight or self._ended or self._not_begun):
                    return
                if not is_busy:
                    await self._rest_until_due()
            await self._finish()

    def _turn_ended(self) -> None:
        if self._watcher is not None:
            self._watcher.turn_ended()

    async def _turn(self) -> bool:
        """Settle, claim and begin; say whether anything was claimed."""
        # This turn serves the wake-ups that have come.
        self._wake_event.clear()
        if self._wake_timer is not None:
            self._wake_timer.cancel()
            self._wake_timer = None
        try:
            await self._hand_back()
            is_short = self._is_short()
            claimed = await self._poll()
            await self._begin_all(claimed)
        except DatabaseUnavailable as error:
            self._turn_ended()
            await self._wait_for_database(error)
            return True
        self._turn_ended()
        self._backoff.reset()
        self.database_error = None
        if is_short or self._is_short():
            # A poll without room says nothing about what is due.
            await self._rest(self._claims_again_at - stopwatch())
            return True
        return bool(claimed)

    def _is_short(self) -> bool:
        """Return whether the process had no descriptor a moment ago."""
        return stopwatch() < self._claims_again_at

    async def _poll(self) -> Sequence[Claimed]:
        """Settle ended attempts and claim up to the free room, in one transaction."""
        batch = self._ended[:]
        ended = [settlement for _, settlement in batch]
        abandoned = self._abandoned
        ours = list(self._in_flight.values())
        got = await self._call(partial(self._queue.poll, ended, self._room(), ours=ours))
        await self._settled(batch, got.lost)
        self._counters.add("vanished", len(got.vanished))
        for settlement in got.vanished:
            _log_vanished(settlement)
        if got.claimed and abandoned != self._abandoned:
            # It may have been claimed before ``abandon``: the next turn claims what still exists.
            await self._call(partial(self._queue.release, got.claimed))
            return ()
        return got.claimed

    def _room(self) -> Room:
        held, has_suspect = Counter[str](), False
        for each in self._in_flight.values():
            held[each.product_id] += 1
            has_suspect = has_suspect or each.leases_lost > 0
        return Room(
            total=0 if self._is_short() else self._concurrency - len(self._in_flight),
            held=held,
            per_product=self._per_product,
            among=DUE - {DeliveryState.SUSPECT} if has_suspect else DUE,
        )

    async def _settle(self) -> None:
        batch = self._ended[:]
        lost = await self._call(lambda: self._queue.settle([each for _, each in batch]))
        await self._settled(batch, lost)

    async def _settled(
        self, batch: Sequence[tuple[Claimed, Settlement]], lost: Collection[str]
    ) -> None:
        """Report attempts that were settled, and leases that we lost."""
        del self._ended[: len(batch)]
        self._counters.add("lost", len(lost))
        self._counters.ended(each for each in batch if each[0].delivery_id not in lost)
        if self._watcher is not None:
            for claimed, settlement in batch:
                if claimed.delivery_id not in lost:
                    self._watcher.ended(attempt_made(claimed, settlement))
        if lost:
            too_late = [claimed for claimed, _ in batch if claimed.delivery_id in lost]
            log_lost_leases(too_late, deleted=await self._deleted_among(too_late))

    async def _begin_all(self, claimed: Sequence[Claimed]) -> None:
        """Begin attempts; after a stop, release all deliveries, otherwise those without a URL."""
        self._counters.add("claimed", len(claimed))
        not_begun = []
        for each in claimed:
            if self._is_stopping or each.webhook.url is None:
                not_begun.append(each)
            else:
                self._begin(each)
        if not_begun:
            await self._call(lambda: self._queue.release(not_begun))
            self._counters.add("handed_back", len(not_begun))

    def _begin(self, claimed: Claimed) -> None:
        """Begin an attempt, without a task where the sender supports that."""
        if self._watcher is not None:
            self._watcher.started(attempt_begun(claimed, at=self._clock.now()))
        try:
            attempt = self._sender.begin(claimed, self._on_ended)
        except Exception as error:  # noqa: BLE001 - logged
            _log_own_error(claimed, error)
        else:
            begun = attempt or asyncio.create_task(self._attempt(claimed))
            self._in_flight[begun] = claimed

    def _on_ended(self, attempt: PlainAttempt) -> None:
        """Take the result of an attempt without a task."""
        claimed = self._in_flight.pop(attempt)
        try:
            self._ended.append((claimed, attempt.settlement()))
        except Exception as error:  # noqa: BLE001 - logged
            _log_own_error(claimed, error)
        self._wake_event.set()

    async def _attempt(self, claimed: Claimed) -> None:
        try:
            self._ended.append((claimed, await self._sender.send(claimed)))
        except OutOfDescriptors as error:
            self._not_begun.append(claimed)
            self._note_shortage(error)
        except Exception as error:  # noqa: BLE001 - logged
            _log_own_error(claimed, error)
        finally:
            self._in_flight.pop(cast("asyncio.Task[None]", asyncio.current_task()), None)
            self._wake_event.set()

    def _note_shortage(self, error: OutOfDescriptors) -> None:
        """Claim nothing for a while, and log why, once a minute at most."""
        now = stopwatch()
        self._claims_again_at = now + SHORTAGE_SECONDS
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            logger.error(
                "Deliveries wait, because this process can open no connection.",
                extra={"reason": error.hint},
            )

    async def _hand_back(self) -> None:
        """Release deliveries that were claimed, and for which no connection could be opened."""
        if self._not_begun:
            batch = self._not_begun[:]
            await self._call(partial(self._queue.release, batch))
            del self._not_begun[: len(batch)]
            self._counters.add("handed_back", len(batch))

    def _wake(self) -> None:
        """Make the next turn come: at once where no attempt is in flight.

        A full worker cannot begin anything. A busy worker has turns anyway, and serves the wake-up
        in the next one, so that many wake-ups do not slow it down.
        """
        if not self._in_flight:
            self._wake_event.set()
        elif self._wake_timer is None and len(self._in_flight) < self._concurrency:
            loop = asyncio.get_running_loop()
            self._wake_timer = loop.call_later(BUSY_PAUSE_SECONDS, self._wake_event.set)

    async def _rest_until_due(self) -> None:
        """Rest until a wake-up, until a retry is due, or for ``poll_seconds``."""
        shortest = min(SHORT_REST_SECONDS, self._poll_seconds)
        if await self._rest(shortest):
            return
        with suppress(DatabaseUnavailable):
            seconds = await self._call(partial(self._queue.seconds_until_due, self._poll_seconds))
            await self._rest(max(seconds, shortest))

    async def _rest(self, seconds: float) -> bool:
        """Rest for so long, or until a wake-up; say whether one came."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake_event.wait()
        return self._wake_event.is_set()

    async def _wait_for_database(self, error: DatabaseUnavailable) -> None:
        self.database_error = error
        self._counters.add("unavailable")
        logger.warning(
            "The database is unavailable; trying again.", extra={"reason": error.message}
        )
        await self._rest(self._backoff.next())

    async def _finish(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace_seconds):
                while self._in_flight:
                    self._wake_event.clear()
                    await self._wake_event.wait()
        self._ended += await self._interrupt(list(self._in_flight))
        await self._settle_the_last()
        self._turn_ended()

    async def _interrupt(self, attempts: Collection[_Attempt]) -> list[tuple[Claimed, Settlement]]:
        """Cancel attempts; return the deliveries and settlements of those that had not ended."""
        claimed = {each: self._in_flight[each] for each in attempts}
        for each in attempts:
            each.cancel()
        tasks = [each for each in attempts if isinstance(each, asyncio.Task)]
        if tasks:
            await asyncio.wait(tasks)
        for each in attempts:
            self._in_flight.pop(each, None)
        self._wake_event.set()
        now = to_milliseconds(self._clock.now())
        return [
            (
                claimed[each],
                each.interrupted(at=now)
                if isinstance(each, PlainAttempt)
                else self._sender.interrupted(claimed[each]),
            )
            for each in attempts
            if each.cancelled()
        ]

    async def _settle_the_last(self) -> None:
        # Ask often again: the process that stops us waits for a few seconds only.
        self._backoff.reset()
        last_try_at = stopwatch() + LAST_SECONDS
        while (self._ended or self._not_begun) and stopwatch() <= last_try_at:
            self._wake_event.clear()
            try:
                await self._hand_back()
                await self._settle()
            except DatabaseUnavailable as error:
                await self._wait_for_database(error)
        if self._ended:
            logger.error(
                "The database stayed unavailable: attempts that were made are not on record, and "
                "will be made again when their leases have run out.",
                extra={"attempts": len(self._ended)},
            )

    async def _deleted_among(self, held: Collection[Claimed]) -> Collection[str]:
        """Return the ids of deleted deliveries; all ids, where the database is unavailable."""
        try:
            return await self._call(partial(self._queue.deleted_among, held))
        except DatabaseUnavailable:
            return {each.delivery_id for each in held}

    def _held(self) -> list[Claimed]:
        ended = (claimed for claimed, _ in self._ended)
        return [*self._in_flight.values(), *ended, *self._not_begun]


def _log_own_error(claimed: Claimed, error: Exception) -> None:
    """Log a bug of ours. It loses nothing: the lease runs out, and three in a row exhaust."""
    logger.error(
        "An attempt failed in the sender itself.",
        extra={"delivery": claimed.delivery_id},
        exc_info=error,
    )


def _log_vanished(settlement: Settlement) -> None:
    logger.warning(
        "A lease ran out: its attempt is on record as unknown, the delivery is due again.",
        extra={"delivery": settlement.delivery_id, "attempt": settlement.number},
    )
