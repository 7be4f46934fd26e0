"""The outbox: the one way an event leaves the domain.

``record`` writes events, their finished bodies and their deliveries in the caller's transaction,
so that there is no event without its change and no change without its event. The product's row is
the lock that puts its events in order; several products are locked in the order of their ids, so
that two callers never wait for each other.

With the lock, ``record`` also reads the last ids of the present second, and its own ids go on
after them: so ids tell the order of events even while the clock stands still.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Connection, update
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.errors import NotFound
from leanbe_emitter.ids import IdOf, Ids
from leanbe_emitter.storage.engine.notify import notify_in_process
from leanbe_emitter.storage.queries import emission, journal
from leanbe_emitter.storage.queries.emission import (
    DeliveryColumns,
    Emission,
    EventColumns,
    ProductColumns,
    SenderRow,
)
from leanbe_emitter.storage.queries.journal import Fact
from leanbe_emitter.storage.schema.states import UNHELD, DeliveryState, JournalKind
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow, json_text
from leanbe_emitter.wire.assumptions.lookup import AssumptionSet, TriggeredAt, deviations, read
from leanbe_emitter.wire.envelope import Sealed, Sealer
from leanbe_emitter.wire.instants import print_milliseconds

Headers: TypeAlias = tuple[tuple[str, str], ...]


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


class Recorded(NamedTuple):
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
    # What the action changed is read here, past the session.
    session.flush()
    at_now = to_milliseconds(now)
    wanted = {event.product_id for event in events}
    senders = _lock(session.connection(), wanted, at=at_now, ids=ids)
    draft = _Draft(ids=ids, lease=lease)
    for event in events:
        at = at_now if event.at is None else to_milliseconds(event.at)
        draft.add(senders[event.product_id], event, at=at)
    _write(session, draft.emission([each.counters for each in senders.values()]))
    return draft.recorded


def redeliver(
    session: Session, event: EventRow, *, now: datetime, ids: Ids, lease: Lease | None = None
) -> str:
    """Owe an event once more, in the caller's transaction: the same bytes, a delivery of its own.

    Returns:
        The id of the new delivery.
    """
    at_now = to_milliseconds(now)
    _lock(session.connection(), {event.product_id}, at=at_now, ids=ids)
    draft = _Draft(ids=ids, lease=lease)
    delivery_id = draft.enqueue(event.id, event.product_id, event.sequence, at=at_now)
    _write(session, draft.emission([]))
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
        .returning(DeliveryRow.event_id, DeliveryRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    journal.cancelled(session, [(each.event_id, each.id) for each in cancelled])
    return sorted(each.id for each in cancelled)


def triggered_at(*, now: int, last: int, document_updated_at: int) -> int:
    """Return an event's instant, in milliseconds since 1970 like the arguments (contract c.5).

    Two events of a product never share one, also when the clock stands still or goes back, and an
    event is later than its document.
    """
    return max(now, last + 1, document_updated_at + 1)


def wants(reading: AssumptionSet, name: str) -> bool:
    """Say whether the product's filter lets an event of that name through (contract d-8)."""
    return any(fnmatchcase(name, pattern) for pattern in reading.events)


@dataclass(kw_only=True)
class _Sender:
    """A locked product: its counters move on with each of its events."""

    id: str
    sequence: int
    last_triggered_at: int
    assumptions: str
    url: str | None
    secret: str | None = field(repr=False)
    headers: Headers = field(repr=False)

    @property
    def counters(self) -> ProductColumns:
        return self.sequence, self.last_triggered_at, self.id


class _Draft:
    """The rows of events and deliveries that are about to be written.

    A plain class with tuples for rows: a hundred events are drafted in a millisecond.
    """

    def __init__(self, *, ids: Ids, lease: Lease | None) -> None:
        self._new_event_id = ids.maker(IdOf.EVENT)
        self._new_delivery_id = ids.maker(IdOf.DELIVERY)
        # Plain texts: the driver of SQLite looks long for what to make of an enum's member.
        state = DeliveryState.IN_FLIGHT if lease else DeliveryState.NEW
        self._state = state.value
        self._lease_token = lease.token if lease else None
        self._lease_until = lease.until if lease else None
        self._attempts_started = 1 if lease else 0
        self._events: list[EventColumns] = []
        self._deliveries: list[DeliveryColumns] = []
        self.recorded: list[Recorded] = []

    def add(self, sender: _Sender, event: NewEvent, *, at: int) -> None:
        """Draft an event of an instant, and its delivery where it is owed."""
        sender.sequence += 1
        sender.last_triggered_at = triggered_at(
            now=at, last=sender.last_triggered_at, document_updated_at=event.document_updated_at
        )
        form = _form(
            sender.assumptions,
            json_text(event.overrides) if event.overrides else "{}",
            event.name,
            sender.secret,
            sender.headers,
        )
        printed = print_milliseconds(sender.last_triggered_at, form.triggered_at)
        sealed = form.seal(event.payload_text, printed)
        event_id = self._new_event_id(at // 1000)
        self._events.append(
            (
                event_id,
                sender.id,
                sender.sequence,
                event.name,
                sender.last_triggered_at,
                at,
                form.method,
                form.headers or json_text(sealed.headers + sender.headers),
                sealed.body,
                form.deviations,
                form.overrides,
            )
        )
        is_owed = form.is_wanted and sender.url is not None
        delivery_id = self.enqueue(event_id, sender.id, sender.sequence, at=at) if is_owed else None
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
                # Never triggeredAt: it runs ahead of the clock in a burst of events.
                at,
                self._lease_token,
                self._lease_until,
                self._attempts_started,
                at,
            )
        )
        return delivery_id

    def emission(self, counters: list[ProductColumns]) -> Emission:
        """Return all that was drafted."""
        return Emission(
            counters=counters,
            events=self._events,
            deliveries=self._deliveries,
            notifies_workers=bool(self._deliveries) and self._lease_token is None,
            facts=[
                Fact(JournalKind.EVENT, each.event_id, each.delivery_id) for each in self.recorded
            ],
        )


@dataclass(frozen=True, kw_only=True)
class _Form:
    """What a product's requests of one event's name have in common (contract d).

    Attributes:
        headers: None where they depend on the payload.
    """

    seal: Callable[[str, str], Sealed]
    is_wanted: bool
    triggered_at: TriggeredAt
    method: str
    headers: str | None
    deviations: str
    overrides: str


@lru_cache(maxsize=4096)
def _form(
    assumptions: str, overrides: str, name: str, secret: str | None, headers: Headers
) -> _Form:
    reading = read({**json.loads(assumptions), **json.loads(overrides)})
    sealer = Sealer(event=name, secret=secret, reading=reading)
    return _Form(
        seal=sealer.seal,
        is_wanted=wants(reading, name),
        triggered_at=reading.triggered_at,
        method=reading.method.value,
        headers=None if sealer.headers is None else json_text(sealer.headers + headers),
        deviations=json_text(deviations(reading)),
        overrides=overrides,
    )


def _write(session: Session, written: Emission) -> None:
    emission.write(session.connection(), written)
    if written.notifies_workers:
        notify_in_process(session)


def _lock(
    connection: Connection, product_ids: set[str], *, at: int, ids: Ids
) -> dict[str, _Sender]:
    """Lock products, and let new ids sort behind what other processes made in the same second."""
    locked = emission.lock(connection, product_ids, second=at // 1000)
    ids.follow(locked.last_event_id, of=IdOf.EVENT)
    ids.follow(locked.last_delivery_id, of=IdOf.DELIVERY)
    senders = {row.id: _sender(row) for row in locked.senders}
    for missing in sorted(product_ids - senders.keys()):
        raise NotFound(f"There is no product {missing}.")
    return senders


def _sender(row: SenderRow) -> _Sender:
    return _Sender(
        id=row.id,
        sequence=row.sequence,
        last_triggered_at=row.last_triggered_at,
        assumptions=row.assumptions,
        url=row.url,
        secret=row.secret,
        headers=_headers(row.headers),
    )


@lru_cache(maxsize=4096)
def _headers(text: str) -> Headers:
    return tuple((name, value) for name, value in json.loads(text))
