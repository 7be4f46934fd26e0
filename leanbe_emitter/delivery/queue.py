"""The queue: a delivery is claimable iff it is due and nobody holds it.

Every transition names the lease token that the delivery was claimed with, so that a late worker
changes nothing. ``new``, ``ready`` and ``suspect`` *are* due: a claim compares no clock. ``wake``
makes ready what waited long enough, and ``reap`` settles, for its dead owner, what a lease ran out
on; so the claim itself is an index scan, however many rows are finished.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, text
from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, to_milliseconds
from leanbe_emitter.delivery.claims import Claimed, Evidence, Settlement, WebhookSettings
from leanbe_emitter.delivery.statements import (
    CANDIDATES,
    LEASE,
    LEASE_ONE,
    LOAD,
    OWED,
    STATEMENTS,
    TODO,
    WEBHOOKS,
    scalars,
)
from leanbe_emitter.delivery.strict import first_of, strict_among
from leanbe_emitter.delivery.strict import pick as pick_strict
from leanbe_emitter.ids import IdOf, Ids
from leanbe_emitter.storage import journal
from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.states import DeliveryState, JournalKind, Outcome
from leanbe_emitter.storage.tables import AttemptRow, DeliveryRow, ProductRow

#: So many leases lost in a row exhaust a delivery: what it does to its workers is no accident.
LEASES_LOST_LIMIT = 3
#: How many rows one statement wakes or reaps at the most.
BATCH = 500
#: Of so many deliveries that are claimed, retries get the first one: neither starves the other.
RETRY_EVERY = 4


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is owed right now: how many are due, since when (milliseconds), how many in flight."""

    count: int
    oldest_due_at: int | None
    in_flight: int


@dataclass(frozen=True, kw_only=True)
class Todo:
    """Whether there is anything to claim, to wake or to reap."""

    claim: bool
    wake: bool
    reap: bool

    def __bool__(self) -> bool:
        return self.claim or self.wake or self.reap


class Queue:
    """The deliveries of one database, as one worker sees them.

    Args:
        lease_seconds: how long what is claimed is ours, unless it is renewed.
    """

    def __init__(self, database: Database, *, clock: Clock, ids: Ids, lease_seconds: float) -> None:
        self._database = database
        self._statements = STATEMENTS[database.dialect]
        self._clock = clock
        self._ids = ids
        self.lease_seconds = lease_seconds
        self._lease_ms = int(lease_seconds * 1000)
        # The product that a claim of each state stopped at: the next goes on behind it.
        self._turns: dict[DeliveryState, str] = {}
        self._claims = 0

    def claim(
        self, *, room: int, held: Mapping[str, int], per_product: int, with_suspect: bool = True
    ) -> list[Claimed]:
        """Take up to ``room`` deliveries that are due, fairly over the products.

        What lost its lease is taken alone, whatever the room: should it kill its worker again, it
        is the only one of its kind that it takes along.

        Args:
            room: how many at the most.
            held: how many of each product are in flight here already.
            per_product: how many of one product may be in flight here.
            with_suspect: whether one that lost its lease may be taken; not beside another.

        Returns:
            What is ours now, a product's deliveries in the order of its events.
        """
        counts = Counter(held)
        with self._database.transaction() as session:
            if with_suspect and room > 0:
                alone = self._take(session, DeliveryState.SUSPECT, 1, counts, per_product)
                if alone:
                    return self._load(session, alone)
            share = _share_of_retries(room, before=self._claims)
            retries = self._take(session, DeliveryState.READY, share, counts, per_product)
            room -= len(retries)
            first = self._take(session, DeliveryState.NEW, room, counts, per_product)
            room -= len(first)
            more = self._take(session, DeliveryState.READY, room, counts, per_product)
            taken = [*retries, *first, *more]
            self._claims += len(taken)
            return self._load(session, taken)

    def claim_one(self, delivery_id: str) -> Claimed | None:
        """Take this one delivery, if it is due and nobody holds it."""
        token, until = self.new_lease()
        key = {"id": delivery_id, "now": self._now(), "token": token, "until": until}
        with self._database.transaction() as session:
            if self._is_held_back(session, delivery_id):
                return None
            taken = session.execute(LEASE_ONE, key).first()
            return self._load(session, [delivery_id])[0] if taken else None

    def load(self, delivery_ids: Sequence[str], *, token: str) -> list[Claimed]:
        """Return what was leased when it was recorded (``outbox.record``), and is ours still.

        What another one of a strict product holds back is handed back: a worker makes its attempt.
        """
        with self._database.reading() as session:
            ours = [each for each in self._load(session, delivery_ids) if each.token == token]
            firsts = {
                product_id: first_of(session, product_id, token=token)
                for product_id in strict_among(session, {each.product_id for each in ours})
            }
        held_back = [
            each
            for each in ours
            if firsts.get(each.product_id, each.delivery_id) != each.delivery_id
        ]
        self.hand_back(held_back)
        return [each for each in ours if each not in held_back]

    def new_lease(self) -> tuple[str, int]:
        """Return a new lease: its token, and its end in milliseconds since 1970."""
        now = self._clock.now()
        return self._ids.object_id(now, of=IdOf.LEASE), to_milliseconds(now) + self._lease_ms

    def renew(self, claimed: Collection[Claimed]) -> None:
        """Hold what was claimed for another while; what is ours no more stays as it is."""
        if not claimed:
            return
        until = self._now() + self._lease_ms
        with self._database.transaction() as session:
            session.execute(self._statements.renew, {"held": _held(claimed), "until": until})

    def hand_back(self, claimed: Collection[Claimed]) -> None:
        """Give back what was claimed and not attempted, as if it had never been claimed.

        What has no URL any more is owed no more: it is cancelled (contract c.1).
        """
        if not claimed:
            return
        with self._database.transaction() as session:
            rows = session.execute(self._statements.hand_back, {"held": _held(claimed)}).all()
            ended = {row.id for row in rows if row.state == DeliveryState.CANCELLED}
            journal.cancelled(
                session,
                [
                    (each.product_id, each.event_id, each.delivery_id)
                    for each in claimed
                    if each.delivery_id in ended
                ],
            )

    def settle(self, settlements: Sequence[Settlement]) -> set[str]:
        """Write what became of deliveries, with the evidence of their attempts.

        Returns:
            The ids of those that were ours no more: nothing was changed for them.
        """
        if not settlements:
            return set()
        with self._database.transaction() as session:
            return self._settle(session, settlements)

    def wake(self) -> int:
        """Make ready what has waited until now, up to ``BATCH``; return how many there were."""
        limits = {"now": self._now(), "limit": BATCH}
        with self._database.transaction() as session:
            return len(session.execute(self._statements.wake, limits).all())

    def reap(self) -> list[Settlement]:
        """Settle what a lease ran out on, up to ``BATCH``: its attempt vanished, it is due again.

        Contract c.5: the attempt is on record as unknown, and does not count against the schedule;
        who lost its lease ``LEASES_LOST_LIMIT`` times in a row is exhausted.
        """
        limits = {"now": self._now(), "limit": BATCH}
        with self._database.transaction() as session:
            rows = session.execute(self._statements.expired, limits).all()
            settlements = [self._vanished(row) for row in rows]
            if settlements:
                self._settle(session, settlements)
            return settlements

    def todo(self) -> Todo:
        """Say whether there is anything to claim, to wake or to reap."""
        with self._database.reading() as session:
            row = session.execute(TODO, {"now": self._now()}).one()
        return Todo(claim=bool(row.claim), wake=bool(row.wake), reap=bool(row.reap))

    def due(self) -> Due:
        """Say what is owed right now."""
        with self._database.reading() as session:
            rows = session.execute(OWED, {"now": self._now()}).all()
        due = [row for row in rows if row.kind == "due"]
        return Due(
            count=sum(row.n for row in due),
            oldest_due_at=min((row.since for row in due if row.since is not None), default=None),
            in_flight=sum(row.n for row in rows) - sum(row.n for row in due),
        )

    def _now(self) -> int:
        return to_milliseconds(self._clock.now())

    def _take(
        self,
        session: Session,
        state: DeliveryState,
        room: int,
        counts: Counter[str],
        per_product: int,
    ) -> list[str]:
        if room <= 0:
            return []
        full = sum(1 for count in counts.values() if count >= per_product)
        products = self._candidates(session, state, room + full)
        quotas = _quotas(products, room, counts, per_product)
        return self._lease(session, state, quotas, counts)

    def _candidates(self, session: Session, state: DeliveryState, limit: int) -> list[str]:
        """Return products that something of this state is due for, going round in their order."""
        statement = text(CANDIDATES.format(state=state))
        turn = self._turns.get(state, "")
        behind = scalars(session, statement, after=turn, limit=limit)
        if not turn or len(behind) == limit:
            return behind
        start = scalars(session, statement, after="", limit=limit - len(behind))
        return behind + [product for product in start if product <= turn]

    def _lease(
        self,
        session: Session,
        state: DeliveryState,
        quotas: Mapping[str, int],
        counts: Counter[str],
    ) -> list[str]:
        if not quotas:
            return []
        self._turns[state] = list(quotas)[-1]
        strict = strict_among(session, quotas)
        free = {product: quota for product, quota in quotas.items() if product not in strict}
        picked = self._statements.pick(session, state, free) if free else []
        picked += pick_strict(session, state, strict)
        if not picked:
            # Other workers were quicker: they hold all that was seen a moment ago.
            return []
        token, until = self.new_lease()
        rows = session.execute(LEASE, {"ids": picked, "token": token, "until": until}).all()
        counts.update(row.product_id for row in rows)
        return [row.id for row in rows]

    def _is_held_back(self, session: Session, delivery_id: str) -> bool:
        """Say whether another delivery of its product has to end first (``ordering = strict``)."""
        row = session.get(DeliveryRow, delivery_id)
        if row is None or not strict_among(session, [row.product_id]):
            return False
        return first_of(session, row.product_id) != delivery_id

    def _load(self, session: Session, delivery_ids: Sequence[str]) -> list[Claimed]:
        if not delivery_ids:
            return []
        rows = session.execute(LOAD.where(DeliveryRow.id.in_(delivery_ids))).all()
        webhooks = _webhooks(session, {row.product_id for row in rows})
        claimed = [_claimed(row, webhooks[row.product_id]) for row in rows]
        return sorted(claimed, key=lambda each: (each.sequence, each.delivery_id))

    def _settle(self, session: Session, settlements: Sequence[Settlement]) -> set[str]:
        held = json.dumps([_outcome_row(each) for each in settlements])
        rows = session.execute(self._statements.settle, {"held": held}).all()
        states = {row.id: DeliveryState(row.state) for row in rows}
        ours = [each for each in settlements if each.delivery_id in states]
        if ours:
            session.execute(insert(AttemptRow), [_attempt_row(each) for each in ours])
            journal.write(session, [_entry(each, states[each.delivery_id]) for each in ours])
        return {each.delivery_id for each in settlements} - states.keys()

    def _vanished(self, row: Row[Any]) -> Settlement:
        lost = row.leases_lost + 1
        ends = lost >= LEASES_LOST_LIMIT
        return Settlement(
            delivery_id=row.id,
            product_id=row.product_id,
            event_id=row.event_id,
            token=row.lease_token,
            number=row.attempts_started,
            state=DeliveryState.EXHAUSTED if ends else DeliveryState.SUSPECT,
            due_at=row.due_at,
            counts=False,
            leases_lost=lost,
            evidence=Evidence(
                outcome=Outcome.UNKNOWN,
                started_at=row.lease_until - self._lease_ms,
                duration_us=self._lease_ms * 1000,
                url=row.url or "",
                error="Whoever claimed this attempt vanished: its lease ran out.",
            ),
        )


def _share_of_retries(room: int, *, before: int) -> int:
    """Return how many of the next claims are the retries': also where the room is always one."""
    return -(-(before + room) // RETRY_EVERY) - -(-before // RETRY_EVERY)


def _quotas(
    products: Iterable[str], room: int, counts: Mapping[str, int], per_product: int
) -> dict[str, int]:
    """Share the room among the products that are not full."""
    open_to = [product for product in products if counts.get(product, 0) < per_product][:room]
    share = -(-room // len(open_to)) if open_to else 0
    quotas: dict[str, int] = {}
    for product in open_to:
        quota = min(share, per_product - counts.get(product, 0), room - sum(quotas.values()))
        if quota > 0:
            quotas[product] = quota
    return quotas


def _webhooks(session: Session, product_ids: set[str]) -> dict[str, WebhookSettings]:
    rows = session.execute(WEBHOOKS.where(ProductRow.id.in_(product_ids))).all()
    return {
        row.id: WebhookSettings(
            url=row.url,
            secret=row.secret,
            ca_file=row.ca_file,
            insecure=bool(row.insecure),
            assumptions=row.assumptions,
        )
        for row in rows
    }


def _claimed(row: Any, webhook: WebhookSettings) -> Claimed:
    return Claimed(
        delivery_id=row.id,
        product_id=row.product_id,
        sequence=row.sequence,
        token=row.lease_token,
        number=row.attempts_started,
        attempts_counted=row.attempts_counted,
        leases_lost=row.leases_lost,
        due_at=row.due_at,
        event_id=row.event_id,
        event_name=row.name,
        triggered_at=row.triggered_at,
        method=row.method,
        headers=[(name, value) for name, value in row.headers],
        body=row.body,
        deviations=row.deviations,
        overrides=row.overrides,
        webhook=webhook,
    )


def _held(claimed: Iterable[Claimed]) -> str:
    return json.dumps([{"id": each.delivery_id, "token": each.token} for each in claimed])


def _outcome_row(settlement: Settlement) -> dict[str, Any]:
    return {
        "id": settlement.delivery_id,
        "token": settlement.token,
        "state": settlement.state,
        "due_at": settlement.due_at,
        "counted": int(settlement.counts),
        "leases_lost": settlement.leases_lost,
    }


def _attempt_row(settlement: Settlement) -> dict[str, Any]:
    return {
        "delivery_id": settlement.delivery_id,
        "number": settlement.number,
        **settlement.evidence.columns(),
    }


def _entry(settlement: Settlement, state: DeliveryState) -> dict[str, Any]:
    return {
        "kind": JournalKind.ATTEMPT,
        "product_id": settlement.product_id,
        "event_id": settlement.event_id,
        "delivery_id": settlement.delivery_id,
        "number": settlement.number,
        "status": state.status if state.is_end else None,
    }
