"""Queue whose calls fail a few times, as if its database were unavailable."""

from collections import Counter
from collections.abc import Collection, Sequence

from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import PollResult, Queue
from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.errors import DatabaseUnavailable
from tests.support.engine_setup import LEASE_SECONDS, Bench


class FailingQueue(Queue):
    """Queue that raises ``DatabaseUnavailable`` a number of times for each named call."""

    failures: Counter[str]

    @classmethod
    def of(cls, bench: Bench, **failures: int) -> "FailingQueue":
        queue = cls(bench.database, clock=bench.clock, ids=bench.ids, lease_seconds=LEASE_SECONDS)
        queue.failures = Counter(failures)
        return queue

    def _fail_if_told(self, call: str) -> None:
        if self.failures[call] > 0:
            self.failures[call] -= 1
            raise DatabaseUnavailable("The database is unavailable.")

    def poll(
        self, ended: Sequence[Settlement], room: Room, *, ours: Collection[Claimed] = ()
    ) -> PollResult:
        self._fail_if_told("claim" if not ended else "settle")
        return super().poll(ended, room, ours=ours)

    def settle(self, settlements: Sequence[Settlement]) -> set[str]:
        self._fail_if_told("settle")
        return super().settle(settlements)

    def release(self, claimed: Collection[Claimed]) -> None:
        self._fail_if_told("release")
        super().release(claimed)

    def renew(self, claimed: Collection[Claimed]) -> None:
        self._fail_if_told("renew")
        super().renew(claimed)

    def deleted_among(self, claimed: Collection[Claimed]) -> set[str]:
        self._fail_if_told("deleted_among")
        return super().deleted_among(claimed)
