"""Attempts for a caller who waits: one after the other, so that their order is deterministic.

Only the transport waits. So no event loop has to run where the transport needs none.

An exception or a Ctrl-C loses no claim: the attempt in flight is settled as interrupted, and the
deliveries that were not begun are released.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence

from leanbe_emitter.clock import Clock
from leanbe_emitter.delivery.attempt.sender import Sender
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.delivery.watching import Attempt, Watcher, attempt_begun, attempt_made
from leanbe_emitter.delivery.worker.leases import Renewals, log_lost_leases
from leanbe_emitter.delivery.worker.metrics import Counters
from leanbe_emitter.errors import EndlessDeliveries, OutOfDescriptors
from leanbe_emitter.storage.schema.states import DeliveryState

#: Deliveries recorded during ``deliver_due`` that are attempted before it raises
#: ``EndlessDeliveries``: these, and ten for each delivery that was due at the beginning.
MAX_RECORDED = 500
_MOST_FOR_EACH = 10
#: Room for one attempt at a time.
ONE = Room(total=1, held={}, per_product=1)


class Foreground:
    """Make single attempts, each settled before the next begins."""

    def __init__(  # noqa: PLR0913 - the parts of it, each given from outside
        self,
        queue: Queue,
        sender: Sender,
        *,
        clock: Clock,
        watcher: Watcher | None = None,
        counters: Counters | None = None,
        renewals: Renewals | None = None,
    ) -> None:
        self._queue = queue
        self._sender = sender
        self._clock = clock
        self._watcher = watcher
        self._counters = counters or Counters()
        self._renewals = renewals or Renewals(queue)

    async def attempt(self, claimed: Sequence[Claimed]) -> list[Attempt]:
        """Attempt claimed deliveries in their order; return the attempts that were settled.

        Deliveries whose webhook has no URL any more are cancelled instead.
        """
        self._counters.add("claimed", len(claimed))
        self._release([each for each in claimed if each.webhook.url is None])
        not_begun = deque(each for each in claimed if each.webhook.url is not None)
        made: list[Attempt] = []
        async with self._renewals.of(claimed):
            try:
                while not_begun:
                    if self._watcher is not None:
                        now = self._clock.now()
                        self._watcher.started(attempt_begun(not_begun[0], at=now))
                    each = not_begun.popleft()
                    settlement = await self._make(each)
                    if settlement is None:
                        continue
                    made.append(attempt_made(each, settlement))
                    if self._watcher is not None:
                        self._watcher.ended(made[-1])
                    not_begun.extendleft(self._due_at_once(settlement))
            finally:
                self._release(not_begun)
        return made

    async def deliver_due(self) -> list[Attempt]:
        """Make every due attempt once, those of events recorded meanwhile included.

        Raises:
            EndlessDeliveries: receivers kept recording events meanwhile.
        """
        due = self._catch_up()
        made: list[Attempt] = []
        while claimed := self._queue.claim(ONE):
            if len(made) >= MAX_RECORDED + (1 + _MOST_FOR_EACH) * due:
                self._queue.release(claimed)
                raise _endless(claimed[0], due=due, made=len(made))
            made += await self.attempt(claimed)
        return made

    def _catch_up(self) -> int:
        """Wake due retries and reap expired leases; return how many deliveries are due then."""
        while (caught_up := self._queue.catch_up()).woken or caught_up.vanished:
            self._counters.add("vanished", len(caught_up.vanished))
        return caught_up.due.count

    def _release(self, not_begun: Collection[Claimed]) -> None:
        self._queue.release(not_begun)
        self._counters.add("handed_back", len(not_begun))

    def _due_at_once(self, settlement: Settlement) -> list[Claimed]:
        """Claim a delivery that a fault makes due right after an attempt (``delivered_twice``)."""
        if settlement.state is not DeliveryState.READY:
            return []
        claimed = self._queue.claim_one(settlement.delivery_id)
        if claimed is None:
            return []
        self._counters.add("claimed", 1)
        return [claimed]

    async def _make(self, claimed: Claimed) -> Settlement | None:
        """Make an attempt and settle it; return None if its lease was lost meanwhile."""
        self._renewals.catch_up()
        try:
            settlement = await self._sender.send(claimed)
        except (asyncio.CancelledError, KeyboardInterrupt):
            settlement = self._sender.interrupted(claimed)
            if not self._queue.settle([settlement]):
                self._counters.ended([(claimed, settlement)])
            raise
        except OutOfDescriptors:
            self._release([claimed])
            raise
        if self._queue.settle([settlement]):
            self._counters.add("lost")
            log_lost_leases([claimed], deleted=self._queue.deleted_among([claimed]))
            return None
        self._counters.ended([(claimed, settlement)])
        return settlement


def _endless(next_one: Claimed, *, due: int, made: int) -> EndlessDeliveries:
    return EndlessDeliveries(
        f"{made} attempts were made where {due} were due, and deliveries are still due: receivers "
        f"keep recording events, the last one {next_one.event_name}.",
        hint="Does a receiver change a document for every event about it? It has to stop at some "
        "event.",
    )
