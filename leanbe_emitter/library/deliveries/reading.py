"""Reading deliveries from their rows: whole snapshots, and the ids that a list or a wait needs.

A snapshot is read by one statement each for deliveries, events and attempts. No column says which
delivery is a redelivery: it is one whose event had a delivery before. An event's first delivery was
recorded with the event, at the same instant.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from leanbe_emitter.library.deliveries.delivery import Delivery, DeliveryActions, Event
from leanbe_emitter.library.deliveries.delivery_filter import Filter, selected
from leanbe_emitter.library.runtime import paging
from leanbe_emitter.storage.engine.session import IDS_AT_ONCE, fetch, fetch_by_ids
from leanbe_emitter.storage.queries import journal, sizes
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.storage.schema.tables import (
    AttemptRow,
    DeliveryRow,
    EventRow,
    RedeliveryRow,
    WebhookRow,
)
from leanbe_emitter.wire.instants import print_instant

_OTHER: Final = aliased(DeliveryRow)

#: Two columns for a statement about deliveries: whether the event has another delivery, and the job
#: that made this one. Both stop at the first row that they find.
COLUMNS: Final = (
    exists()
    .where(_OTHER.event_id == DeliveryRow.event_id, _OTHER.id != DeliveryRow.id)
    .correlate(DeliveryRow)
    .label("has_others"),
    select(RedeliveryRow.job)
    .where(
        RedeliveryRow.event_id == DeliveryRow.event_id, RedeliveryRow.delivery_id == DeliveryRow.id
    )
    .correlate(DeliveryRow)
    .limit(1)
    .scalar_subquery()
    .label("job"),
)

#: A delivery, where it comes from, and the URL of its product's webhook.
_DELIVERIES = (
    select(*DeliveryRow.__table__.columns, *COLUMNS, WebhookRow.url)
    .outerjoin(WebhookRow, WebhookRow.product_id == DeliveryRow.product_id)
    .where(DeliveryRow.id.in_(bindparam("ids", expanding=True)))
)
_EVENTS = select(*EventRow.__table__.columns).where(
    EventRow.id.in_(
        select(DeliveryRow.event_id).where(DeliveryRow.id.in_(bindparam("ids", expanding=True)))
    )
)
_ATTEMPTS = (
    select(*AttemptRow.__table__.columns)
    .where(AttemptRow.delivery_id.in_(bindparam("ids", expanding=True)))
    .order_by(AttemptRow.number)
)
_OUTCOMES = select(AttemptRow.delivery_id, AttemptRow.number, AttemptRow.outcome).where(
    AttemptRow.delivery_id.in_(bindparam("ids", expanding=True))
)

#: A manual clock may have been set back since, so that a redelivery has a smaller id.
_AGE: Final = case((DeliveryRow.created_at == EventRow.recorded_at, "0"), else_="1")
_FIRSTS: Final = (
    select(DeliveryRow.event_id, func.min(_AGE + DeliveryRow.id).label("first"))
    .join(EventRow, EventRow.id == DeliveryRow.event_id)
    .where(DeliveryRow.event_id.in_(bindparam("event_ids", expanding=True)))
    .group_by(DeliveryRow.event_id)
)


def snapshots(
    session: Session,
    wanted: Sequence[str],
    of_events: Sequence[Event] | None = None,
    *,
    actions: DeliveryActions,
) -> Sequence[Delivery]:
    """Return the deliveries of these ids in the same order, without deleted ones."""
    attempts: dict[str, list[Any]] = defaultdict(list)
    for attempt in fetch_by_ids(session, _ATTEMPTS, wanted):
        attempts[attempt.delivery_id].append(attempt)
    if of_events is None:
        of_events = [Event.of(row) for row in fetch_by_ids(session, _EVENTS, wanted)]
    events = {each.id: each for each in of_events}
    # Another process may have pruned one with its event between two statements.
    rows = [row for row in fetch_by_ids(session, _DELIVERIES, wanted) if row.event_id in events]
    firsts = redeliveries_of(session, rows)
    found = {
        row.id: Delivery.of(
            row,
            events[row.event_id],
            attempts[row.id],
            redelivery_of=firsts.get(row.id),
            actions=actions,
        )
        for row in rows
    }
    return [found[each] for each in wanted if each in found]


def redeliveries_of(session: Session, rows: Iterable[Any]) -> Mapping[str, str]:
    """Return the first delivery of each event that has several, by the ids of the later ones.

    Args:
        session: a session in a transaction.
        rows: deliveries with their ``id``, ``event_id`` and ``COLUMNS``.
    """
    several = [row for row in rows if row.has_others]
    if not several:
        return {}
    event_ids = sorted({row.event_id for row in several})
    found = fetch(session, _FIRSTS, event_ids=event_ids)
    firsts = {each.event_id: each.first[1:] for each in found}
    return {
        row.id: firsts[row.event_id]
        for row in several
        if firsts.get(row.event_id, row.id) != row.id
    }


def outcomes_of(session: Session, attempts: set[tuple[str, int]]) -> Counter[Outcome]:
    """Count attempts by their outcomes, without those that are deleted."""
    rows = fetch_by_ids(session, _OUTCOMES, {delivery_id for delivery_id, _ in attempts})
    return Counter(
        Outcome(each.outcome) for each in rows if (each.delivery_id, each.number) in attempts
    )


def newest_ids(
    session: Session, which: Filter, *, limit: int, after: str | None = None
) -> Sequence[str]:
    """Return the ids of the newest deliveries that a filter selects, the newest first."""
    found = selected(session, which, DeliveryRow.id)
    return paging.newest_ids(session, found, DeliveryRow.created_at, limit=limit, after=after)


def among(session: Session, ids: Iterable[str], which: Filter) -> Sequence[str]:
    """Return those of these ids whose deliveries a filter selects, the newest first."""
    wanted = sorted(set(ids), reverse=True)
    found = selected(session, which, DeliveryRow.id)
    meant = [
        each
        for start in range(0, len(wanted), IDS_AT_ONCE)
        for each in session.scalars(
            found.where(DeliveryRow.id.in_(wanted[start : start + IDS_AT_ONCE]))
        )
    ]
    return sorted(meant, reverse=True)


def ids_behind(
    session: Session, after: Cursor, *, limit: int, max_bytes: int
) -> tuple[Sequence[str], Cursor | None]:
    """Return the first ids with journal entries after a cursor, newest first, and where they end.

    Args:
        session: a session in a transaction.
        after: the cursor.
        limit: the most ids that are returned.
        max_bytes: about the most bytes of bodies, if there are several deliveries.
    """
    begins: dict[str, Cursor] = {}
    seen = after
    while len(begins) <= limit and (entries := journal.read(session, seen, whole=True)):
        for each in entries:
            if each.delivery_id:
                begins.setdefault(each.delivery_id, seen)
            seen = each.cursor
    ids = list(begins)
    page = fitting(session, ids[:limit], max_bytes)
    end = begins[ids[len(page)]] if len(page) < len(ids) else None
    return sorted(page, reverse=True), end


def fitting(session: Session, ids: Sequence[str], max_bytes: int | None) -> Sequence[str]:
    """Return the first of these ids, as many as have at most ``max_bytes`` together."""
    if max_bytes is None:
        return ids
    of = sizes.delivery_sizes(session, ids)
    return ids[: sizes.fitting([of.get(each, 0) for each in ids], max_bytes=max_bytes)]


def comparable(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery and its attempts as plain values, without ids and durations."""
    event = delivery.event
    return {
        "event": event.name,
        "status": delivery.status.value,
        "url": delivery.url,
        "body": event.body.decode(),
        "attempts": [
            {
                "outcome": each.outcome.value,
                "answerStatus": each.answer_status,
                "startedAt": print_instant(each.started_at),
                **({} if each.fault is None else {"fault": each.fault}),
                # An assumption or a fault can change the body of an attempt.
                **({} if each.request_body == event.body else {"body": _text(each.request_body)}),
            }
            for each in delivery.attempts
        ],
    }


def _text(body: bytes) -> str:
    return body.decode(errors="backslashreplace")
