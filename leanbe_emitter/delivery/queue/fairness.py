"""Fair claims: every product has its turn, retries have their share, and suspects come alone.

A claim goes round the products that something is due for, from where the last one ended, and shares
its room among those that are not full: so a product with 50 000 due holds up nobody, and neither
first attempts nor retries starve.

In-flight limits, and the order of starts, hold within each worker. So no table says which worker
owns which product.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from sqlalchemy.orm import Session

from leanbe_emitter.delivery.claims import Claimed
from leanbe_emitter.delivery.queue.rows import with_webhooks
from leanbe_emitter.delivery.queue.statements import CANDIDATES, LeasedRow, Statements
from leanbe_emitter.delivery.queue.strict_ordering import pick as pick_strict
from leanbe_emitter.outbox import Lease
from leanbe_emitter.storage.schema.states import DUE, DeliveryState

#: Of so many deliveries that are claimed, retries get the first one: neither starves the other.
RETRY_EVERY = 4
#: Among how many products with suspects a worker chooses where to begin.
SUSPECTS_SEEN = 256


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much one may claim.

    Attributes:
        total: how many at the most.
        held: how many of each product are in flight here already.
        per_product: how many of one product may be in flight here.
        among: the states that are looked at: ``SUSPECT`` not beside another suspect.
    """

    total: int
    held: Mapping[str, int]
    per_product: int
    among: Collection[DeliveryState] = DUE


class FairClaims:
    """Claims of one worker, one after the other: it remembers whose turn is next."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        # The product that a claim of each state stopped at: the next goes on behind it.
        self._turns: dict[DeliveryState, str] = {}
        self._claims = 0

    def claim(self, session: Session, room: Room, lease: Lease) -> list[Claimed]:
        """Take what is due, up to the room; a product's deliveries in the order of its events.

        What lost its lease is taken alone, whatever the room: should it kill its worker again, it
        is the only one of its kind that it takes along.
        """
        if room.total <= 0:
            return []
        claim = _Claim(session=session, lease=lease, counts=Counter(room.held), room=room)
        if DeliveryState.SUSPECT in room.among and DeliveryState.SUSPECT not in self._turns:
            self._begin_anywhere(claim)
        if self._take(claim, DeliveryState.SUSPECT, 1):
            return self._complete(claim)
        self._take(claim, DeliveryState.READY, _share_of_retries(room.total, before=self._claims))
        self._take(claim, DeliveryState.NEW, claim.left)
        self._take(claim, DeliveryState.READY, claim.left)
        self._claims += len(claim.rows)
        return self._complete(claim)

    def _begin_anywhere(self, claim: "_Claim") -> None:
        """Begin at the suspects of some product.

        If every worker that comes after a kill began at the first, the first would be held at the
        next kill, too, and be given up for an accident.
        """
        found = list(self._candidates(claim, DeliveryState.SUSPECT, SUSPECTS_SEEN))
        chosen = int(claim.lease.token, 16) % len(found) if found else 0
        self._turns[DeliveryState.SUSPECT] = found[chosen] if found else ""

    def _take(self, claim: "_Claim", state: DeliveryState, most: int) -> bool:
        """Take what is due in a state, so many at the most; say whether there was any."""
        if state not in claim.room.among:
            return False
        before = len(claim.rows)
        # Products that gave nothing, held back by what they owe or in others' hands: the claim goes
        # on behind them, or it would seem that nothing is due.
        empty: set[str] = set()
        while (left := before + most - len(claim.rows)) > 0:
            asked = self._take_of(claim, state, left, but_not=empty)
            silent = asked - {row.product_id for row in claim.rows[before:]}
            if not silent:
                break
            empty |= silent
        return len(claim.rows) > before

    def _take_of(
        self, claim: "_Claim", state: DeliveryState, most: int, *, but_not: Collection[str]
    ) -> set[str]:
        """Take what is due in a state of the products whose turn it is; return those."""
        strictness = self._candidates(claim, state, most + len(but_not))
        quotas = claim.quotas((each for each in strictness if each not in but_not), most)
        if quotas:
            self._turns[state] = list(quotas)[-1]
        free = {product: quota for product, quota in quotas.items() if not strictness[product]}
        if free:
            claim.add(self._statements.lease_next(claim.session, state, free, claim.lease))
        if picked := pick_strict(
            claim.session, state, quotas.keys() - free.keys(), statements=self._statements
        ):
            claim.add(self._statements.lease_these(claim.session, picked, claim.lease))
        return set(quotas)

    def _complete(self, claim: "_Claim") -> list[Claimed]:
        return with_webhooks(claim.session, claim.rows, statements=self._statements)

    def _candidates(self, claim: "_Claim", state: DeliveryState, most: int) -> dict[str, bool]:
        """Return products that something of this state is due for, and whether they are strict.

        They come in their order, beginning behind the one that the last claim ended with.
        """
        limits = {"turn": self._turns.get(state, ""), "limit": most + claim.full}
        found = self._statements.fetch(claim.session, CANDIDATES[state], limits)
        by_turn = sorted(found, key=itemgetter(0))
        return {product_id: bool(is_strict) for _, product_id, is_strict in by_turn}


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """A claim under way: within which limits it takes, and what it has by now."""

    session: Session
    lease: Lease
    room: Room
    #: How many of each product are held, what was taken included.
    counts: Counter[str]
    rows: list[LeasedRow] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.room.total - len(self.rows)

    @property
    def full(self) -> int:
        """How many products have as many in flight as they may."""
        return sum(1 for count in self.counts.values() if count >= self.room.per_product)

    def add(self, more: Sequence[LeasedRow]) -> None:
        self.rows.extend(more)
        self.counts.update(each.product_id for each in more)

    def quotas(self, products: Iterable[str], most: int) -> dict[str, int]:
        """Share the room among the products that are not full."""
        frees = {each: self.room.per_product - self.counts[each] for each in products}
        open_to = [each for each, free in frees.items() if free > 0][:most]
        share = -(-most // len(open_to)) if open_to else 0
        quotas: dict[str, int] = {}
        for product in open_to:
            quota = min(share, frees[product], most)
            if quota > 0:
                quotas[product] = quota
                most -= quota
        return quotas


def _share_of_retries(room: int, *, before: int) -> int:
    """Return how many of the next claims are the retries': also where the room is always one."""
    return -(-(before + room) // RETRY_EVERY) - -(-before // RETRY_EVERY)
