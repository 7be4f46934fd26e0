"""``leanbe.events``: the recorded events, with or without a delivery."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain import lookup
from leanbe_emitter.domain.lookup import find, reference_text
from leanbe_emitter.library.deliveries.delivery import Event
from leanbe_emitter.library.runtime.paging import PAGE, Page, check_limit, cursor_of, newest_ids
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.storage.engine.session import fetch_by_ids
from leanbe_emitter.storage.queries import sizes
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import EVENTS, EventKind, event_kind, matching
from leanbe_emitter.wire.payloads.schema import json_schema
from leanbe_emitter.wire.stringify import JSON, stringify

_NAMES: Final = select(EventRow.name, EventRow.product_id).where(
    EventRow.id.in_(bindparam("ids", expanding=True))
)
_DELIVERIES: Final = (
    select(DeliveryRow.event_id, DeliveryRow.id)
    .where(DeliveryRow.event_id.in_(bindparam("ids", expanding=True)))
    .order_by(DeliveryRow.created_at, DeliveryRow.id)
)


@dataclass(frozen=True, kw_only=True)
class EventWithDeliveries:
    """An event, and the ids of its deliveries, the oldest first."""

    event: Event
    delivery_ids: Sequence[str]

    def document(self) -> dict[str, Any]:
        """Return the event as JSON, with the ids."""
        return {**self.event.document(), "deliveries": list(self.delivery_ids)}

    def text(self) -> str:
        """Return the text of ``document()``, which contains the payload's own text."""
        begins, ids = self.event.text().removesuffix("}"), stringify(list(self.delivery_ids))
        return f'{begins},"deliveries":{ids}}}'


class Events:
    """The events of a database."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def catalogue(self) -> Sequence[EventKind]:
        """Return the 22 event names, each with its meaning."""
        return EVENTS

    def schema(self, event: str, *, product: ProductRef | None = None) -> dict[str, JSON]:
        """Return the JSON Schema of an event's payload.

        Args:
            event: one of the 22 event names.
            product: a product whose assumptions apply; by default, the default assumptions apply.

        Raises:
            InvalidValue: there is no such event; the hint names the nearest.
            NotFound: there is no such product.
        """
        name = event_kind(event).name
        if product is None:
            return json_schema(name)
        with self._transactions.looking() as session:
            return json_schema(
                name, parse_assumptions(lookup.product(session, product).assumptions)
            )

    def get(self, reference: str) -> Event:
        """Return the event of that id, or of a part of the id.

        Raises:
            NotFound: no event matches.
            InvalidValue: several events match.
        """
        with self._transactions.looking() as session:
            row = find(
                session,
                select(EventRow),
                reference_text(reference),
                what="event",
                by_id=EventRow.id,
            )
            return Event.of(row)

    def list(
        self,
        *,
        event: str | None = None,
        product: ProductRef | None = None,
        limit: int = PAGE,
        after: str | None = None,
        max_bytes: int | None = None,
    ) -> Page[Event]:
        """Return events, the newest first.

        Args:
            event: an event name, or a glob (``idea.*``); any event by default.
            product: the product of the events; any product by default.
            limit: the most events that are returned.
            after: the cursor of the page before.
            max_bytes: about the most bytes of bodies on a page that has several events; by default
                there is no limit.

        Raises:
            NotFound: there is no such product.
            InvalidValue: the glob matches no event name, ``limit`` is 0, or ``after`` is no cursor.
        """
        check_limit(limit)
        with self._transactions.looking() as session:
            found = select(EventRow.id)
            if event is not None:
                found = found.where(EventRow.name.in_(matching(event)))
            if product is not None:
                found = found.where(EventRow.product_id == lookup.product(session, product).id)
            at, identifier = EventRow.recorded_at, EventRow.id
            ids = newest_ids(session, found, at, limit=limit + 1, after=after)
            length = min(limit, _length(session, ids, max_bytes))
            in_order = select(EventRow).order_by(at.desc(), identifier.desc())
            rows = session.scalars(in_order.where(identifier.in_(ids[:length]))).all()
        is_more = len(ids) > len(rows) > 0
        cursor = cursor_of(rows[-1].recorded_at, rows[-1].id) if is_more else None
        return Page(map(Event.of, rows), cursor=cursor)

    def with_deliveries(self, events: Iterable[Event]) -> Sequence[EventWithDeliveries]:
        """Return events with the ids of their deliveries, in the same order."""
        these = [*events]
        found = defaultdict[str, deque[str]](deque)
        with self._transactions.looking() as session:
            for row in fetch_by_ids(session, _DELIVERIES, (each.id for each in these)):
                found[row.event_id].append(row.id)
        return [
            EventWithDeliveries(event=each, delivery_ids=tuple(found[each.id])) for each in these
        ]

    def names_of(self, event_ids: Iterable[str]) -> set[tuple[str, str]]:
        """Return the names of events with their products' ids, without deleted events."""
        with self._transactions.looking() as session:
            return {(row.name, row.product_id) for row in fetch_by_ids(session, _NAMES, event_ids)}


def _length(session: Session, ids: Sequence[str], max_bytes: int | None) -> int:
    """Return how many of these events a page has."""
    if max_bytes is None:
        return len(ids)
    of = sizes.event_sizes(session, ids)
    return sizes.fitting([of.get(each, 0) for each in ids], max_bytes=max_bytes)
