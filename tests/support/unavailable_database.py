"""Queue whose database is unavailable a few times."""

from collections import Counter
from collections.abc import Collection, Sequence

from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import PollResult, Queue
from leanbe_emitter.errors import DatabaseUnavailable
from tests.support.bench import LEASE_SECONDS, Bench


class Unavailable(Queue):
    """Queue whose database is unavailable a few times for each of these calls."""

    failures: Counter[str]

    @classmethod
    def of(cls, bench: Bench, **failures: int) -> "Unavailable":
        queue = cls(bench.database, clock=bench.clock, ids=bench.ids, lease_seconds=LEASE_SECONDS)
        queue.failures = Counter(failures)
        return queue

    def _ask(self, call: str) -> None:
        if self.failures[call] > 0:
            self.failures[call] -= 1
            raise DatabaseUnavailable("The database is unavailable.")

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

    def deleted_among(self, claimed: Collection[Claimed]) -> set[str]:
        self._ask("deleted_among")
        return super().deleted_among(claimed)
