"""A queue whose database is away a few times: what a worker does about it, seen in small."""

from collections import Counter
from collections.abc import Collection, Sequence

from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import PollResult, Queue
from leanbe_emitter.errors import DatabaseUnavailable
from tests.support.bench import LEASE_SECONDS, Bench


class FailingQueue(Queue):
    """A queue whose database is away a few times for each of these calls."""

    away: Counter[str]

    @classmethod
    def of(cls, bench: Bench, **away: int) -> "FailingQueue":
        queue = cls(bench.database, clock=bench.clock, ids=bench.ids, lease_seconds=LEASE_SECONDS)
        queue.away = Counter(away)
        return queue

    def _ask(self, call: str) -> None:
        if self.away[call] > 0:
            self.away[call] -= 1
            raise DatabaseUnavailable("The database is away.")

    def poll(
        self, ended: Sequence[Settlement], room: Room, *, ours: Collection[Claimed] = ()
    ) -> PollResult:
        self._ask("claim" if not ended else "settle")
        return super().poll(ended, room, ours=ours)

    def settle(self, settlements: Sequence[Settlement]) -> set[str]:
        self._ask("settle")
        return super().settle(settlements)

    def release(self, claimed: Collection[Claimed]) -> None:
        self._ask("release")
        super().release(claimed)

    def renew(self, claimed: Collection[Claimed]) -> None:
        self._ask("renew")
        super().renew(claimed)

    def gone(self, claimed: Collection[Claimed]) -> set[str]:
        self._ask("gone")
        return super().gone(claimed)
