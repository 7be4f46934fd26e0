"""Attempts for a caller who waits for them: one after the other, so that they are deterministic.

It waits for nothing but its transport: with one that needs no event loop, none has to run.

Whatever breaks it off, what was claimed is accounted for: the attempt under way is settled as
interrupted, and what was not begun is handed back as it was.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence

from leanbe_emitter.clock import Clock, to_milliseconds
from leanbe_emitter.delivery.attempt.sender import Sender
from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.worker.leases import Renewals, interrupted, log_lost_leases
from leanbe_emitter.delivery.worker.metrics import Counters
from leanbe_emitter.delivery.worker.watcher import Watcher
from leanbe_emitter.errors import EndlessDeliveries
from leanbe_emitter.storage.schema.states import DeliveryState

#: So much of what receivers record meanwhile is attempted before it is called endless: ten for each
#: delivery that was due at first, and some more.
MAX_RECORDED = 500
_MOST_FOR_EACH = 10
#: Attempts are made one after the other.
ONE = Room(total=1, held={}, per_product=1)


class Foreground:
    """Makes single attempts, each settled before the next begins."""

    def __init__(  # noqa: PLR0913 - the parts of it, each given from outside
        self,
        queue: Queue,
        sender: Sender,
        *,
        clock: Clock,
        watcher: Watcher,
        counters: Counters | None = None,
        renewals: Renewals | None = None,
    ) -> None:
        self._queue = queue
        self._sender = sender
        self._clock = clock
        self._watcher = watcher
        self._counters = counters or Counters()
        self._renewals = renewals or Renewals(queue)

    async def attempt(self, claimed: Sequence[Claimed]) -> list[Settlement]:
        """Make the attempts that were claimed, in their order; return those that were settled.

        What has no URL any more is cancelled instead.
        """
        self._counters.claimed(len(claimed))
        self._hand_back([each for each in claimed if each.webhook.url is None])
        not_begun = deque(each for each in claimed if each.webhook.url is not None)
        settled: list[Settlement] = []
        async with self._renewals.of(claimed):
            try:
                while not_begun:
                    self._watcher.begun(not_begun[0])
                    made = await self._make(not_begun.popleft())
                    settled += made
                    not_begun.extendleft(self._due_at_once(made))
            finally:
                self._hand_back(not_begun)
        return settled

    async def deliver_due(self) -> list[Settlement]:
        """Make every attempt that is due, once; what is raised meanwhile counts as due.

        Raises:
            EndlessDeliveries: more and more was raised meanwhile.
        """
        due = self._catch_up()
        settled: list[Settlement] = []
        while claimed := self._queue.claim(ONE):
            if len(settled) >= MAX_RECORDED + (1 + _MOST_FOR_EACH) * due:
                self._queue.release(claimed)
                raise _endless(claimed[0], due=due, made=len(settled))
            settled += await self.attempt(claimed)
        return settled

    def _catch_up(self) -> int:
        """Wake and reap all that is time; return how many are due then."""
        while (arrears := self._queue.catch_up()).woken or arrears.vanished:
            self._counters.vanished(len(arrears.vanished))
        return arrears.due.count

    def _hand_back(self, not_begun: Collection[Claimed]) -> None:
        self._queue.release(not_begun)
        self._counters.handed_back(len(not_begun))

    def _due_at_once(self, made: Sequence[Settlement]) -> list[Claimed]:
        """Claim what a fault makes due right after an attempt (``delivered_twice``)."""
        due = [each.delivery_id for each in made if each.state is DeliveryState.READY]
        claimed = [one for each in due if (one := self._queue.claim_one(each)) is not None]
        self._counters.claimed(len(claimed))
        return claimed

    async def _make(self, claimed: Claimed) -> list[Settlement]:
        """Make an attempt and settle it; return nothing where its lease was lost meanwhile."""
        self._renewals.catch_up()
        try:
            settlement = await self._sender.send(claimed)
        except (asyncio.CancelledError, KeyboardInterrupt):
            settlement = interrupted(claimed, at=to_milliseconds(self._clock.now()))
            if not self._queue.settle([settlement]):
                self._counters.ended([(claimed, settlement)])
            raise
        if self._queue.settle([settlement]):
            self._counters.lost()
            log_lost_leases([claimed], gone=self._queue.gone([claimed]))
            return []
        self._counters.ended([(claimed, settlement)])
        self._watcher.ended(claimed, settlement)
        return [settlement]


def _endless(next_one: Claimed, *, due: int, made: int) -> EndlessDeliveries:
    return EndlessDeliveries(
        f"{made} attempts were made where {due} were due, and something still is: receivers go on "
        f"recording events, the last of them {next_one.event_name}.",
        hint="Does a receiver change each time what it is told of? It has to stop at some event.",
    )
