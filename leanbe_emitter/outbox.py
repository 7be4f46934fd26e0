"""The outbox: the only way for an event to leave the domain.

``record`` writes events, their finished bodies and their deliveries in the caller's transaction. So
no event exists without its change, and no change without its event. ``record`` locks the product's
row, which puts the product's events in order. It locks several products in the order of their ids,
so that two callers never wait for each other.

With the lock, ``record`` also reads the last ids of the present second and continues after them. So
ids tell the order of events even while the clock stands still.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, update
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.errors import NotFound
from leanbe_emitter.header_rules import Headers, header_pairs
from leanbe_emitter.ids import IdOf, Ids
from leanbe_emitter.storage.engine.database import notify_in_process
from leanbe_emitter.storage.queries import emission, journal
from leanbe_emitter.storage.queries.emission import (
    DeliveryColumns,
    Emission,
    EventColumns,
    SenderRow,
)
from leanbe_emitter.storage.queries.journal import Fact
from leanbe_emitter.storage.schema.states import UNHELD, DeliveryState, JournalKind
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow, json_text
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, TriggeredAt
from leanbe_emitter.wire.assumptions.parsing import changed_assumptions, parse_assumptions
from leanbe_emitter.wire.envelope import SealedRequest, Sealer
from leanbe_emitter.wire.instants import print_milliseconds


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """An event to record.

    Attributes:
        product_id: the event's product, which decides on sequence, ``triggeredAt`` and signature.
        name: the event name.
        payload_text: the stringified payload, which is the signed text.
        document_updated_at: the document's ``updatedAt`` in milliseconds; ``triggeredAt`` is later.
        assumptions: assumptions of this one request; they win over the product's own.
        at: the time of the envelope; None for the time of the call.
    """

    product_id: str
    name: str
    payload_text: str
    document_updated_at: int = 0
    assumptions: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to make attempts until an instant, in milliseconds since 1970."""

    token: str
    until: int


class Recorded(NamedTuple):
    """A recorded event and the id of its delivery; None if it is not delivered."""

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
    """Record events and their deliveries in the caller's transaction.

    Args:
        session: the caller's transaction.
        events: the events in their order.
        now: the time of the action.
        ids: the source of ids.
        lease: a lease for the first attempts, if the caller delivers in the foreground.

    Returns:
        The recorded events, in the same order.

    Raises:
        NotFound: a product does not exist.
    """
    if not events:
        return []
    # The statements below read the action's changes past the session.
    session.flush()
    at_now = to_milliseconds(now)
    wanted = {event.product_id for event in events}
    senders = _lock(session.connection(), wanted, at=at_now, ids=ids)
    draft = _Draft(ids=ids, lease=lease)
    for event in events:
        at = at_now if event.at is None else to_milliseconds(event.at)
        draft.add(senders[event.product_id], event, at=at)
    draft.write(session, senders.values())
    return draft.recorded


def redeliver(
    session: Session, event: EventRow, *, now: datetime, ids: Ids, lease: Lease | None = None
) -> str:
    """Make a new delivery of a recorded event, with the same bytes, in the caller's transaction.

    Returns:
        The id of the new delivery.
    """
    at_now = to_milliseconds(now)
    _lock(session.connection(), {event.product_id}, at=at_now, ids=ids)
    draft = _Draft(ids=ids, lease=lease)
    delivery_id = draft.enqueue(event.id, event.product_id, event.sequence, at=at_now)
    draft.write(session)
    return delivery_id


def cancel(session: Session, which: ColumnElement[bool]) -> list[str]:
    """Cancel pending deliveries in the caller's transaction.

    Deliveries in flight stay as they are; their settlement decides on them.

    Args:
        session: the caller's transaction.
        which: a condition on deliveries.

    Returns:
        The ids of the cancelled deliveries, sorted.
    """
    cancelled = session.execute(
        update(DeliveryRow)
        .where(which, DeliveryRow.state.in_(UNHELD))
        .values(state=DeliveryState.CANCELLED)
        .returning(DeliveryRow.event_id, DeliveryRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    journal.cancelled(session, [(each.event_id, each.id) for each in cancelled])
    return sorted(each.id for each in cancelled)


def triggered_at(*, now: int, last: int, document_updated_at: int) -> int:
    """Return an event's ``triggeredAt``, in milliseconds since 1970 like the arguments.

    Two events of a product never share an instant, even if the clock stands still or goes back. An
    event is later than its document's last change.
    """
    # Contract c.5.
    return max(now, last + 1, document_updated_at + 1)


def sends_event(assumptions: AssumptionSet, name: str) -> bool:
    """Return whether the assumption ``events`` (contract d-8) sends an event of this name."""
    return any(fnmatchcase(name, pattern) for pattern in assumptions.events)


class _Draft:
    """The rows of events and deliveries to write.

    It is a plain class with tuples as rows, so that it drafts a hundred events in a millisecond.
    """

    def __init__(self, *, ids: Ids, lease: Lease | None) -> None:
        self._new_event_id = ids.maker(IdOf.EVENT)
        self._new_delivery_id = ids.maker(IdOf.DELIVERY)
        # Plain text, because SQLite's driver converts an enum's member slowly.
        state = DeliveryState.IN_FLIGHT if lease else DeliveryState.NEW
        self._state = state.value
        self._lease_token = lease.token if lease else None
        self._lease_until = lease.until if lease else None
        self._attempts_started = 1 if lease else 0
        self._events: list[EventColumns] = []
        self._deliveries: list[DeliveryColumns] = []
        self._facts: list[Fact] = []
        self.recorded: list[Recorded] = []

    def add(self, sender: SenderRow, event: NewEvent, *, at: int) -> None:
        """Draft an event and, if the product sends it, its delivery."""
        sender.sequence += 1
        sender.last_triggered_at = triggered_at(
            now=at, last=sender.last_triggered_at, document_updated_at=event.document_updated_at
        )
        template = _request_template(
            sender.assumptions,
            json_text(event.assumptions) if event.assumptions else "{}",
            event.name,
            sender.secret,
            sender.headers,
        )
        printed = print_milliseconds(sender.last_triggered_at, template.triggered_at)
        sealed = template.seal(event.payload_text, printed)
        event_id = self._new_event_id(at // 1000)
        self._events.append(
            (
                event_id,
                sender.id,
                sender.sequence,
                event.name,
                sender.last_triggered_at,
                at,
                template.method,
                template.headers or json_text(sealed.headers + _headers(sender.headers)),
                sealed.body,
                template.changed_assumptions,
                template.request_assumptions,
            )
        )
        is_delivered = template.is_sent and sender.url is not None
        delivery_id = (
            self.enqueue(event_id, sender.id, sender.sequence, at=at) if is_delivered else None
        )
        self._facts.append(Fact(JournalKind.EVENT, event_id, delivery_id))
        self.recorded.append(
            Recorded(event_id, sender.id, event.name, sender.sequence, delivery_id)
        )

    def enqueue(self, event_id: str, product_id: str, sequence: int, *, at: int) -> str:
        """Draft a delivery of an event; return its id."""
        delivery_id = self._new_delivery_id(at // 1000)
        self._deliveries.append(
            (
                delivery_id,
                product_id,
                sequence,
                event_id,
                self._state,
                # Not triggeredAt, which runs ahead of the clock in a burst of events.
                at,
                self._lease_token,
                self._lease_until,
                self._attempts_started,
                at,
            )
        )
        return delivery_id

    def write(self, session: Session, senders: Iterable[SenderRow] = ()) -> None:
        """Write all drafted rows, and the counters of these products."""
        is_due = bool(self._deliveries) and self._lease_token is None
        emission.write(
            session.connection(),
            Emission(
                counters=[(each.sequence, each.last_triggered_at, each.id) for each in senders],
                events=self._events,
                deliveries=self._deliveries,
                facts=self._facts,
                notifies_workers=is_due,
            ),
        )
        if is_due:
            notify_in_process(session)


@dataclass(frozen=True, kw_only=True)
class _RequestTemplate:
    """The common parts of a product's requests for one event name (contract d).

    Attributes:
        headers: None if they depend on the payload.
    """

    seal: Callable[[str, str], SealedRequest]
    is_sent: bool
    triggered_at: TriggeredAt
    method: str
    headers: str | None
    changed_assumptions: str
    request_assumptions: str


@lru_cache(maxsize=4096)
def _request_template(
    of_product: str, of_request: str, name: str, secret: str | None, headers: str
) -> _RequestTemplate:
    assumptions = parse_assumptions({**json.loads(of_product), **json.loads(of_request)})
    sealer = Sealer(event=name, secret=secret, assumptions=assumptions)
    return _RequestTemplate(
        seal=sealer.seal,
        is_sent=sends_event(assumptions, name),
        triggered_at=assumptions.triggered_at,
        method=assumptions.method.value,
        headers=None if sealer.headers is None else json_text(sealer.headers + _headers(headers)),
        changed_assumptions=json_text(changed_assumptions(assumptions)),
        request_assumptions=of_request,
    )


def _lock(
    connection: Connection, product_ids: set[str], *, at: int, ids: Ids
) -> dict[str, SenderRow]:
    """Lock products, and make new ids sort after other processes' ids of the same second."""
    locked = emission.lock(connection, product_ids, second=at // 1000)
    ids.follow(locked.last_event_id, of=IdOf.EVENT)
    ids.follow(locked.last_delivery_id, of=IdOf.DELIVERY)
    senders = {row.id: row for row in locked.senders}
    for missing in sorted(product_ids - senders.keys()):
        raise NotFound(f"There is no product {missing}.")
    return senders


@lru_cache(maxsize=4096)
def _headers(text: str) -> Headers:
    return header_pairs(json.loads(text))
