"""The outbox: the one way an event leaves the domain.

``record`` writes events, their finished bodies and their deliveries in the caller's transaction,
so that there is no event without its change and no change without its event. The product's row is
the lock that puts its events in order; several products are locked in the order of their ids, so
that two callers never wait for each other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Self

from sqlalchemy import ColumnElement, Row, bindparam, insert, select, update
from sqlalchemy.orm import Session

from leanbe_emitter.clock import from_milliseconds, to_milliseconds
from leanbe_emitter.errors import NotFound
from leanbe_emitter.ids import IdOf, Ids
from leanbe_emitter.storage import journal
from leanbe_emitter.storage.states import UNHELD, DeliveryState, JournalKind
from leanbe_emitter.storage.tables import DeliveryRow, EventRow, ProductRow, WebhookRow
from leanbe_emitter.wire.assumptions import Reading, deviations, read
from leanbe_emitter.wire.envelope import seal


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """An event that is to be recorded.

    Attributes:
        product_id: whose event it is: its own sequence, its own ``triggeredAt``, its own signature.
        name: the event name.
        payload_text: the payload, stringified: exactly what is signed.
        document_updated_at: the document's ``updatedAt`` in milliseconds; ``triggeredAt`` is later.
        overrides: assumptions for this one event, over the product's own.
        at: when the envelope is built; None is the instant of the call.
    """

    product_id: str
    name: str
    payload_text: str
    document_updated_at: int = 0
    overrides: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to make attempts for a while, in milliseconds since 1970."""

    token: str
    until: int


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An event that was recorded, and its delivery: None where nothing is owed."""

    event_id: str
    product_id: str
    name: str
    sequence: int
    delivery_id: str | None


def record(
    session: Session,
    events: Sequence[NewEvent],
    *,
    now: datetime,
    ids: Ids,
    lease: Lease | None = None,
) -> list[Recorded]:
    """Record events and what is owed for them, in the caller's transaction.

    Args:
        session: the caller's transaction.
        events: in the order in which they happened.
        now: the instant of the action.
        ids: the source of ids.
        lease: given by who delivers in the foreground: the first attempts are already theirs.

    Returns:
        What was recorded, in the same order.

    Raises:
        NotFound: a product is not there.
    """
    if not events:
        return []
    senders = _lock(session, {event.product_id for event in events})
    drafts = [
        _draft(senders[event.product_id], event, _Moment.of(event.at or now, ids=ids, lease=lease))
        for event in events
    ]
    _move_on(session, senders.values())
    _write(session, drafts)
    return [draft.recorded for draft in drafts]


def redeliver(
    session: Session, event: EventRow, *, now: datetime, ids: Ids, lease: Lease | None = None
) -> str:
    """Owe an event once more, in the caller's transaction: the same bytes, a delivery of its own.

    Returns:
        The id of the new delivery.
    """
    moment = _Moment.of(now, ids=ids, lease=lease)
    row = {"id": event.id, "product_id": event.product_id, "sequence": event.sequence}
    delivery = _delivery(row, moment)
    session.execute(insert(DeliveryRow), [delivery])
    delivery_id: str = delivery["id"]
    return delivery_id


def cancel(session: Session, which: ColumnElement[bool]) -> list[str]:
    """Owe no more, in the caller's transaction: cancel what is pending and not in flight.

    What is in flight is left to its own settlement.

    Args:
        session: the caller's transaction.
        which: a condition on deliveries.

    Returns:
        The ids of those that were cancelled, in their order.
    """
    cancelled = session.execute(
        update(DeliveryRow)
        .where(which, DeliveryRow.state.in_(UNHELD))
        .values(state=DeliveryState.CANCELLED)
        .returning(DeliveryRow.product_id, DeliveryRow.event_id, DeliveryRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    journal.cancelled(session, [(each.product_id, each.event_id, each.id) for each in cancelled])
    return sorted(each.id for each in cancelled)


def triggered_at(*, now: int, last: int, document_updated_at: int) -> int:
    """Return an event's instant, in milliseconds since 1970 like the arguments (contract c.5).

    Two events of a product never share one, also when the clock stands still or goes back, and an
    event is later than its document.
    """
    return max(now, last + 1, document_updated_at + 1)


def wants(reading: Reading, name: str) -> bool:
    """Say whether the product's filter lets an event of that name through (contract d-8)."""
    return any(fnmatchcase(name, pattern) for pattern in reading.events)


@dataclass(frozen=True, kw_only=True)
class _Moment:
    """When an event's envelope is built, where ids come from, and who makes the first attempt."""

    now: int
    lease: Lease | None
    new_id: Callable[[IdOf], str]

    @classmethod
    def of(cls, at: datetime, *, ids: Ids, lease: Lease | None) -> Self:
        return cls(
            now=to_milliseconds(at), lease=lease, new_id=lambda kind: ids.object_id(at, of=kind)
        )


@dataclass(kw_only=True)
class _Sender:
    """A locked product: its counters move on with each of its events."""

    id: str
    sequence: int
    last_triggered_at: int
    assumptions: Mapping[str, str]
    url: str | None
    secret: str | None
    headers: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class _Draft:
    """The rows of one event: its own, and its delivery's where it is owed."""

    event: dict[str, Any]
    delivery: dict[str, Any] | None

    @property
    def recorded(self) -> Recorded:
        return Recorded(
            event_id=self.event["id"],
            product_id=self.event["product_id"],
            name=self.event["name"],
            sequence=self.event["sequence"],
            delivery_id=self.delivery["id"] if self.delivery else None,
        )

    @property
    def journal_entry(self) -> dict[str, Any]:
        recorded = self.recorded
        return {
            "kind": JournalKind.EVENT,
            "product_id": recorded.product_id,
            "event_id": recorded.event_id,
            "delivery_id": recorded.delivery_id,
        }


def _lock(session: Session, product_ids: set[str]) -> dict[str, _Sender]:
    rows = session.execute(
        select(
            ProductRow.id, ProductRow.sequence, ProductRow.last_triggered_at, ProductRow.assumptions
        )
        .where(ProductRow.id.in_(product_ids))
        .order_by(ProductRow.id)
        .with_for_update(key_share=True)
    ).all()
    # A statement of its own, begun when the lock is held: PostgreSQL would join the settings as
    # they were when the waiting began.
    webhooks = {
        row.product_id: row
        for row in session.execute(
            select(
                WebhookRow.product_id, WebhookRow.url, WebhookRow.secret, WebhookRow.headers
            ).where(WebhookRow.product_id.in_(product_ids))
        )
    }
    senders = {row.id: _sender(row, webhooks[row.id]) for row in rows}
    for missing in sorted(product_ids - senders.keys()):
        raise NotFound(f"There is no product {missing}.")
    return senders


def _sender(product: Row[Any], webhook: Row[Any]) -> _Sender:
    return _Sender(
        id=product.id,
        sequence=product.sequence,
        last_triggered_at=product.last_triggered_at,
        assumptions=product.assumptions,
        url=webhook.url,
        secret=webhook.secret,
        headers=[(name, value) for name, value in webhook.headers],
    )


def _draft(sender: _Sender, event: NewEvent, moment: _Moment) -> _Draft:
    sender.sequence += 1
    sender.last_triggered_at = triggered_at(
        now=moment.now, last=sender.last_triggered_at, document_updated_at=event.document_updated_at
    )
    reading = read({**sender.assumptions, **event.overrides})
    row = {
        "id": moment.new_id(IdOf.EVENT),
        "product_id": sender.id,
        "sequence": sender.sequence,
        "name": event.name,
        "triggered_at": sender.last_triggered_at,
        "recorded_at": moment.now,
        **_finished(sender, event, reading),
        "overrides": dict(event.overrides),
    }
    is_owed = sender.url is not None and wants(reading, event.name)
    return _Draft(event=row, delivery=_delivery(row, moment) if is_owed else None)


def _finished(sender: _Sender, event: NewEvent, reading: Reading) -> dict[str, Any]:
    """Return what shapes the request: settled now, and stored (contract d)."""
    sealed = seal(
        event.payload_text,
        event=event.name,
        triggered_at=from_milliseconds(sender.last_triggered_at),
        secret=sender.secret,
        reading=reading,
    )
    return {
        "method": reading.method,
        "headers": [*sealed.headers, *sender.headers],
        "body": sealed.body,
        "deviations": deviations(reading),
    }


def _delivery(event: Mapping[str, Any], moment: _Moment) -> dict[str, Any]:
    lease = moment.lease
    return {
        "id": moment.new_id(IdOf.DELIVERY),
        "product_id": event["product_id"],
        "sequence": event["sequence"],
        "event_id": event["id"],
        # Never triggeredAt: it runs ahead of the clock in a burst of events.
        "due_at": moment.now,
        "state": DeliveryState.IN_FLIGHT if lease else DeliveryState.NEW,
        "lease_token": lease.token if lease else None,
        "lease_until": lease.until if lease else None,
        "attempts_started": 1 if lease else 0,
        "attempts_counted": 0,
        "leases_lost": 0,
        "created_at": moment.now,
    }


def _write(session: Session, drafts: Sequence[_Draft]) -> None:
    session.execute(insert(EventRow), [draft.event for draft in drafts])
    deliveries = [draft.delivery for draft in drafts if draft.delivery]
    if deliveries:
        session.execute(insert(DeliveryRow), deliveries)
    journal.write(session, [draft.journal_entry for draft in drafts])


def _move_on(session: Session, senders: Iterable[_Sender]) -> None:
    statement = (
        update(ProductRow.__table__)  # type: ignore[arg-type]
        .where(ProductRow.id == bindparam("product_id"))
        .values(sequence=bindparam("to"), last_triggered_at=bindparam("at"))
    )
    session.connection().execute(
        statement,
        [
            {"product_id": sender.id, "to": sender.sequence, "at": sender.last_triggered_at}
            for sender in senders
        ],
    )
