"""Fair claims: products take turns, retries have their share, and suspects come alone.

A claim visits the products with due deliveries in a round-robin, from where the last claim ended.
It shares its room among products below their limit. So a product with 50 000 due deliveries delays
no other, and neither first attempts nor retries starve.

In-flight limits and the order of starts hold within each worker. So no table assigns products to
workers.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue.row_mapping import with_webhooks
from leanbe_emitter.delivery.queue.statements import CANDIDATES, LeasedRow, Statements
from leanbe_emitter.delivery.queue.strict_ordering import pick as pick_strict
from leanbe_emitter.delivery.queue_types import Claimed
from leanbe_emitter.outbox import Lease
from leanbe_emitter.storage.schema.states import DUE, DeliveryState

#: Of every so many claimed deliveries, the first is a retry: neither kind starves the other.
RETRY_EVERY = 4
#: Number of products with suspects among which a worker chooses its first.
SUSPECTS_SEEN = 256


@dataclass(frozen=True, kw_only=True)
class Room:
    """Limits of a claim.

    Attributes:
        total: most deliveries to claim.
        held: deliveries of each product that are in flight here already.
        per_product: most deliveries of one product in flight here.
        among: the states to claim from; without ``SUSPECT`` while a suspect is in flight.
    """

    total: int
    held: Mapping[str, int]
    per_product: int
    among: Collection[DeliveryState] = DUE


class FairClaims:
    """Claims of one worker; it remembers which product is next."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        # The last product of the last claim, for each state: the next claim starts behind it.
        self._turns: dict[DeliveryState, str] = {}
        self._claims = 0

    def claim(self, session: Session, room: Room, lease: Lease) -> list[Claimed]:
        """Claim due deliveries, up to the room; a product's deliveries in the order of its events.

        A suspect, whose lease ran out, is claimed alone, whatever the room. If it kills its worker
        again, no other suspect loses its lease with it.
        """
        if room.total <= 0:
            return []
        claim = _Claim(session=session, lease=lease, counts=Counter(room.held), room=room)
        if DeliveryState.SUSPECT in room.among and DeliveryState.SUSPECT not in self._turns:
            self._begin_anywhere(claim)
        if not self._take(claim, DeliveryState.SUSPECT, 1):
            retries = _share_of_retries(room.total, before=self._claims)
            self._take(claim, DeliveryState.READY, retries)
            self._take(claim, DeliveryState.NEW, claim.left)
            self._take(claim, DeliveryState.READY, claim.left)
            self._claims += len(claim.rows)
        return with_webhooks(session, claim.rows, statements=self._statements)

    def _begin_anywhere(self, claim: "_Claim") -> None:
        """Choose the first product for suspects by the lease token, so practically at random.

        If every worker after a kill began at the same product, its suspect would be in flight at
        the next kill, too. Three kills would exhaust it, although it caused none.
        """
        found = list(self._candidates(claim, DeliveryState.SUSPECT, SUSPECTS_SEEN))
        chosen = int(claim.lease.token, 16) % len(found) if found else 0
        self._turns[DeliveryState.SUSPECT] = found[chosen] if found else ""

    def _take(self, claim: "_Claim", state: DeliveryState, most: int) -> bool:
        """Claim due deliveries of a state, at most so many; say whether there were any."""
        if state not in claim.room.among:
            return False
        before = len(claim.rows)
        # Products without a claimable delivery: strict ordering holds it back, or another claim has
        # it. The claim goes on behind them, or it would seem that nothing is due.
        empty: set[str] = set()
        while (left := before + most - len(claim.rows)) > 0:
            visited = self._take_of(claim, state, left, without=empty)
            fruitless = visited - {row.product_id for row in claim.rows[before:]}
            if not fruitless:
                break
            empty |= fruitless
        return len(claim.rows) > before

    def _take_of(
        self, claim: "_Claim", state: DeliveryState, most: int, *, without: Collection[str]
    ) -> set[str]:
        """Claim due deliveries of a state from the next products; return these products."""
        strictness = self._candidates(claim, state, most + len(without))
        for product in without:
            strictness.pop(product, None)
        quotas = claim.quotas(strictness, most)
        if quotas:
            self._turns[state] = list(quotas)[-1]
        free = {product: quota for product, quota in quotas.items() if not strictness[product]}
        if free:
            claim.add(self._statements.lease_next(claim.session, state, free, claim.lease))
        strict = quotas.keys() - free.keys()
        if strict and (
            picked := pick_strict(claim.session, state, strict, statements=self._statements)
        ):
            claim.add(self._statements.lease_these(claim.session, picked, claim.lease))
        return set(quotas)

    def _candidates(self, claim: "_Claim", state: DeliveryState, most: int) -> dict[str, bool]:
        """Return products with due deliveries of this state, and whether they are strict.

        They come in round-robin order, from behind the last product of the last claim.
        """
        limits = {"turn": self._turns.get(state, ""), "limit": most + claim.full}
        found = self._statements.fetch(claim.session, CANDIDATES[state], limits)
        by_turn = sorted(found, key=itemgetter(0))
        return {product_id: bool(is_strict) for _, product_id, is_strict in by_turn}


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """A claim in progress: its limits, and its rows so far."""

    session: Session
    lease: Lease
    room: Room
    #: Deliveries of each product in flight here, this claim included.
    counts: Counter[str]
    rows: list[LeasedRow] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.room.total - len(self.rows)

    @property
    def full(self) -> int:
        """Number of products at their limit."""
        return sum(1 for count in self.counts.values() if count >= self.room.per_product)

    def add(self, more: Sequence[LeasedRow]) -> None:
        for row in more:
            self.rows.append(row)
            self.counts[row.product_id] += 1

    def quotas(self, products: Iterable[str], most: int) -> dict[str, int]:
        """Share the room among the products below their limit."""
        frees: dict[str, int] = {}
        for product in products:
            free = self.room.per_product - self.counts[product]
            if free > 0 and len(frees) < most:
                frees[product] = free
        share = -(-most // len(frees)) if frees else 0
        quotas: dict[str, int] = {}
        for product, free in frees.items():
            quota = min(share, free, most)
            if quota > 0:
                quotas[product] = quota
                most -= quota
        return quotas


def _share_of_retries(room: int, *, before: int) -> int:
    """Return the number of retries in the next claim; claims of one delivery share it over time."""
    return -(-(before + room) // RETRY_EVERY) - -(-before // RETRY_EVERY)
