"""Attempts for a caller who waits for them: one after the other, so that they are deterministic."""

import asyncio
from collections.abc import Sequence

from leanbe_emitter.clock import Clock, to_milliseconds
from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.delivery.leases import inline, interrupted, renewing
from leanbe_emitter.delivery.queue import Queue
from leanbe_emitter.delivery.sender import Sender
from leanbe_emitter.delivery.watcher import Watcher


class Foreground:
    """Makes single attempts, each settled before the next begins."""

    def __init__(self, queue: Queue, sender: Sender, *, clock: Clock, watcher: Watcher) -> None:
        self._queue = queue
        self._sender = sender
        self._clock = clock
        self._watcher = watcher

    async def attempt(self, claimed: Sequence[Claimed]) -> list[Settlement]:
        """Make the attempts that were claimed, in their order."""
        homeless = [each for each in claimed if each.webhook.url is None]
        self._queue.cancel(homeless)
        tokens = {each.token for each in claimed}
        async with renewing(self._queue, lambda: tokens, call=inline):
            return [await self._make(each) for each in claimed if each.webhook.url is not None]

    async def deliver_due(self) -> list[Settlement]:
        """Make every attempt that is due, once; what is raised meanwhile counts as due."""
        self._queue.wake()
        self._queue.reap()
        settlements: list[Settlement] = []
        while claimed := self._queue.claim(room=1, held={}, per_product=1):
            settlements += await self.attempt(claimed)
        return settlements

    async def _make(self, claimed: Claimed) -> Settlement:
        self._watcher.begun(claimed)
        try:
            settlement = await self._sender.send(claimed)
        except (asyncio.CancelledError, KeyboardInterrupt):
            now = to_milliseconds(self._clock.now())
            self._queue.settle([interrupted(claimed, at=now)])
            raise
        self._queue.settle([settlement])
        self._watcher.ended(claimed, settlement)
        return settlement
