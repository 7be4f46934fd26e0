"""The worker: settle what ended, claim what is due, begin it, and again.

What was sent is settled before anything new is claimed; what cannot be settled, because the
database is away, is kept and settled when it is back. A stop claims no more and lets finish what is
in flight; what does not finish in time is settled as interrupted and due again at once. What was
claimed and not begun is handed back.

A turn is one ``poll`` with the queue, whatever its size. Its batch is everything that ended
since the last turn: so batches grow with the load by themselves, and a single delivery waits for
nobody. A hundred deliveries take five to eight statements and one commit. While the database's
thread does that, the loop sends.

While the database is away, the worker keeps what has ended. It asks again after 0.1 s, then less
and less often (``backoff``), and settles before it claims anything. After a stop, it begins no
further try once ``LAST_SECONDS`` are over. A worker never takes its own leases for lost, even if
its machine slept.
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
from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.worker.backoff import Backoff
from leanbe_emitter.delivery.worker.leases import (
    DatabaseCaller,
    interrupted,
    log_lost_leases,
    renewing,
)
from leanbe_emitter.delivery.worker.metrics import Counters
from leanbe_emitter.delivery.worker.wakeups import Wakeups, no_wakeups
from leanbe_emitter.delivery.worker.watcher import Watcher, end_of_turn
from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.storage.schema.states import DUE, DeliveryState

logger = logging.getLogger(__name__)

#: How long a stop waits for what is in flight, in seconds.
GRACE_SECONDS = 10.0
#: How long a busy worker may leave a wake-up to its next turn, in seconds.
BUSY_PAUSE_SECONDS = 0.002
#: How long a worker rests before it asks until when nothing is due, in seconds: where events come
#: one after the other, it need not.
SHORT_REST_SECONDS = 0.02
#: For how long a worker that stops asks a database that is away, in seconds.
LAST_SECONDS = 3.0


class _Attempt(Protocol):
    """An attempt that is under way: a task, or one that does without."""

    def cancel(self) -> object:
        """Break it off."""
        ...

    def cancelled(self) -> bool:
        """Say whether it was broken off before it ended."""
        ...


class Worker:
    """Delivers what is due until it is stopped.

    Args:
        concurrency: attempts in flight at once.
        per_product: attempts of one product in flight at once (contract c.5).
        poll_seconds: how long an idle worker waits before it looks again, if nothing wakes it.
        call: the seam to the database.
        watcher: who is told of the attempts.
        counters: what is done is counted there.
        wakeups: what tells it that something may be due.
        grace_seconds: how long a stop waits for what is in flight.

    Attributes:
        away: why the database did not answer when it was asked last; None: it did.
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
        watcher: Watcher,
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
        self._turn_ended = end_of_turn(watcher)
        self._counters = counters or Counters()
        self._wakeups = wakeups
        self._grace_seconds = grace_seconds
        self._in_flight: dict[_Attempt, Claimed] = {}
        self._ended: list[tuple[Claimed, Settlement]] = []
        self._news = asyncio.Event()
        self._wake_up: asyncio.TimerHandle | None = None
        self._is_stopping = False
        self._abandoned = 0
        self._backoff = Backoff()
        self.away: DatabaseUnavailable | None = None

    @property
    def in_flight(self) -> int:
        """How many attempts are being made."""
        return len(self._in_flight)

    def stop(self) -> None:
        """Claim no more; ``run`` returns when what is in flight has ended."""
        self._is_stopping = True
        self._news.set()

    async def abandon(self) -> None:
        """Break off what is in flight and not there any more, and begin nothing of before.

        Nothing is settled by that. What is there still is left alone, be it owed since then.
        """
        self._abandoned += 1
        gone = await self._gone(list(self._in_flight.values()))
        await self._break_off(
            [attempt for attempt, each in self._in_flight.items() if each.delivery_id in gone]
        )

    async def run(self, *, drain: bool = False) -> None:
        """Deliver until ``stop``; with ``drain``, until nothing is due any more."""
        async with (
            renewing(self._queue, self._held, call=self._call),
            self._wakeups(self._may_be_due),
        ):
            while not self._is_stopping:
                self._begin_turn()
                is_busy = await self._turn()
                if drain and not (is_busy or self._in_flight or self._ended):
                    return
                if not is_busy:
                    await self._rest_until_due()
            await self._finish()

    def _begin_turn(self) -> None:
        """Forget the news that this turn sees to."""
        self._news.clear()
        if self._wake_up is not None:
            self._wake_up.cancel()
            self._wake_up = None

    async def _turn(self) -> bool:
        """Settle, claim and begin; say whether there was anything to claim."""
        try:
            claimed = await self._poll()
            await self._take_on(claimed)
        except DatabaseUnavailable as error:
            self._turn_ended()
            await self._wait_for_database(error)
            return True
        self._turn_ended()
        self._backoff.reset()
        self.away = None
        return bool(claimed)

    async def _poll(self) -> Sequence[Claimed]:
        """Settle what has ended and claim as much as there is room for, in one transaction."""
        batch = self._ended[:]
        ended = [settlement for _, settlement in batch]
        abandoned = self._abandoned
        ours = list(self._in_flight.values())
        got = await self._call(partial(self._queue.poll, ended, self._room(), ours=ours))
        await self._settled(batch, got.lost)
        self._counters.vanished(len(got.vanished))
        for settlement in got.vanished:
            _log_vanished(settlement)
        if got.claimed and abandoned != self._abandoned:
            # It may be of before: what is there still is claimed by the next turn.
            await self._call(partial(self._queue.release, got.claimed))
            return ()
        return got.claimed

    def _room(self) -> Room:
        in_flight = self._in_flight.values()
        has_suspect = any(each.leases_lost for each in in_flight)
        return Room(
            total=self._concurrency - len(in_flight),
            held=Counter(each.product_id for each in in_flight),
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
        """Tell of what was settled, and of what was ours no more by then."""
        del self._ended[: len(batch)]
        self._counters.lost(len(lost))
        self._counters.ended(each for each in batch if each[0].delivery_id not in lost)
        for claimed, settlement in batch:
            if claimed.delivery_id not in lost:
                self._watcher.ended(claimed, settlement)
        if lost:
            too_late = [claimed for claimed, _ in batch if claimed.delivery_id in lost]
            log_lost_leases(too_late, gone=await self._gone(too_late))

    async def _take_on(self, claimed: Sequence[Claimed]) -> None:
        """Begin what was claimed; hand back all of it after a stop, and what has no URL."""
        self._counters.claimed(len(claimed))
        not_begun = []
        for each in claimed:
            if self._is_stopping or each.webhook.url is None:
                not_begun.append(each)
            else:
                self._begin(each)
        if not_begun:
            await self._call(lambda: self._queue.release(not_begun))
            self._counters.handed_back(len(not_begun))

    def _begin(self, claimed: Claimed) -> None:
        """Begin an attempt; without a task, where the sender can."""
        self._watcher.begun(claimed)
        try:
            attempt = self._sender.begin(claimed, self._came)
        except Exception as error:  # noqa: BLE001 - it is logged
            _log_own_error(claimed, error)
        else:
            begun = attempt or asyncio.create_task(self._attempt(claimed))
            self._in_flight[begun] = claimed

    def _came(self, attempt: PlainAttempt) -> None:
        """Take what an attempt without a task came to."""
        claimed = self._in_flight.pop(attempt)
        try:
            self._ended.append((claimed, attempt.settlement()))
        except Exception as error:  # noqa: BLE001 - it is logged
            _log_own_error(claimed, error)
        self._news.set()

    async def _attempt(self, claimed: Claimed) -> None:
        try:
            self._ended.append((claimed, await self._sender.send(claimed)))
        except Exception as error:  # noqa: BLE001 - it is logged
            _log_own_error(claimed, error)
        finally:
            self._in_flight.pop(cast("asyncio.Task[None]", asyncio.current_task()), None)
            self._news.set()

    def _may_be_due(self) -> None:
        """See to it that a turn looks: at once where there is nothing else to do.

        A worker that is full can begin nothing; one that is busy has turns of its own, and looks in
        the next, so that however many wake-ups come, they do not hold it up.
        """
        if not self._in_flight:
            self._news.set()
        elif self._wake_up is None and len(self._in_flight) < self._concurrency:
            loop = asyncio.get_running_loop()
            self._wake_up = loop.call_later(BUSY_PAUSE_SECONDS, self._news.set)

    async def _rest_until_due(self) -> None:
        """Rest until there is news, or a retry is due; look by itself after ``poll_seconds``."""
        shortest = min(SHORT_REST_SECONDS, self._poll_seconds)
        if await self._rest(shortest):
            return
        with suppress(DatabaseUnavailable):
            seconds = await self._call(partial(self._queue.seconds_until_due, self._poll_seconds))
            await self._rest(max(seconds, shortest))

    async def _rest(self, seconds: float) -> bool:
        """Rest for so long, or until there is news; say whether there is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        return self._news.is_set()

    async def _wait_for_database(self, error: DatabaseUnavailable) -> None:
        self.away = error
        self._counters.unavailable()
        logger.warning("The database is away; trying again.", extra={"reason": error.message})
        await self._rest(self._backoff.next())

    async def _finish(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace_seconds):
                while self._in_flight:
                    self._news.clear()
                    await self._news.wait()
        broken_off = await self._break_off(list(self._in_flight))
        now = to_milliseconds(self._clock.now())
        self._ended += [(each, interrupted(each, at=now)) for each in broken_off]
        await self._settle_the_last()
        self._turn_ended()

    async def _break_off(self, attempts: Collection[_Attempt]) -> list[Claimed]:
        """Cancel attempts; return the deliveries of those that had not ended before."""
        claimed = {each: self._in_flight[each] for each in attempts}
        for each in attempts:
            each.cancel()
        tasks = [each for each in attempts if isinstance(each, asyncio.Task)]
        if tasks:
            await asyncio.wait(tasks)
        for each in attempts:
            self._in_flight.pop(each, None)
        self._news.set()
        return [claimed[each] for each in attempts if each.cancelled()]

    async def _settle_the_last(self) -> None:
        # However long it has been away: whoever stops us waits for a few seconds.
        self._backoff.reset()
        last_try_at = stopwatch() + LAST_SECONDS
        while self._ended and stopwatch() <= last_try_at:
            self._news.clear()
            try:
                await self._settle()
            except DatabaseUnavailable as error:
                await self._wait_for_database(error)
        if self._ended:
            logger.error(
                "The database stayed away: attempts that were made are not on record, and will be "
                "made again when their leases have run out.",
                extra={"attempts": len(self._ended)},
            )

    async def _gone(self, held: Collection[Claimed]) -> Collection[str]:
        """Return the ids of what is gone; of all of it, where the database cannot say."""
        try:
            return await self._call(partial(self._queue.gone, held))
        except DatabaseUnavailable:
            return {each.delivery_id for each in held}

    def _held(self) -> list[Claimed]:
        return [*self._in_flight.values(), *(claimed for claimed, _ in self._ended)]


def _log_own_error(claimed: Claimed, error: Exception) -> None:
    """Log an error of ours. It loses nothing: the lease runs out, and three of those exhaust."""
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
