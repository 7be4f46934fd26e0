"""Retention: deletes old settled rows in batches. Pending deliveries stay, however old they are.

An old event is deleted when it has no delivery left, so a late redelivery keeps it. Each batch is a
transaction of its own, and reads one range of a primary key. Ids begin with the second of their
creation, so this needs no index and touches none of the hot path.

The order is: settled deliveries with their attempts; then events without a delivery; then, from the
journal's beginning, the entries of such events only. A redelivery locks its event, so retention
skips that event.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import and_, delete, exists, func, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import pause, stopwatch, to_milliseconds
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.journal import START, Cursor, Written
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import AttemptRow, DeliveryRow, EventRow, JournalRow

#: How many rows one transaction reads.
BATCH = 500

_ENDS = [state for state in DeliveryState if state.is_end]


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """How many rows were deleted."""

    events: int = 0
    deliveries: int = 0
    attempts: int = 0
    journal_entries: int = 0

    def __add__(self, other: "Pruned") -> "Pruned":
        names = [each.name for each in fields(self)]
        return Pruned(**{name: getattr(self, name) + getattr(other, name) for name in names})


def prune(
    database: Database,
    *,
    before: datetime,
    batch: int = BATCH,
    on_batch: Callable[[Pruned], None] = lambda _: None,
) -> Pruned:
    """Delete deliveries that were settled before an instant, and events without a delivery.

    An interrupted run leaves complete batches, and the next run continues.

    Args:
        database: the database.
        before: rows that were recorded and settled earlier are deleted.
        batch: how many rows one transaction reads.
        on_batch: called after each batch with the numbers of rows deleted so far.

    Raises:
        DatabaseUnavailable: the database failed; the batches before are done.
    """
    pruned = Pruned()
    for passing in PASSES:
        for more in _unhurried(passing(database, before, batch)):
            pruned += more
            on_batch(pruned)
    return pruned


def count_old(session: Session, *, before: datetime) -> Pruned:
    """Count the rows that ``prune`` would delete, without the entries of the journal."""
    instant, first_id = to_milliseconds(before), _first_id(before)
    is_old = and_(
        DeliveryRow.id < first_id,
        DeliveryRow.state.in_(_ENDS),
        DeliveryRow.created_at < instant,
        DeliveryRow.due_at < instant,
    )
    stays = exists().where(DeliveryRow.event_id == EventRow.id, ~is_old)
    events = select(func.count(EventRow.id)).where(
        EventRow.id < first_id, EventRow.recorded_at < instant, ~stays
    )
    attempts = select(func.count()).select_from(AttemptRow).join(DeliveryRow).where(is_old)
    return Pruned(
        events=session.scalars(events).one(),
        deliveries=session.scalars(select(func.count(DeliveryRow.id)).where(is_old)).one(),
        attempts=session.scalars(attempts).one(),
    )


def _unhurried(batches: Iterator[Pruned]) -> Iterator[Pruned]:
    """Pause after each batch for as long as it took: on SQLite, writers do not queue."""
    started = stopwatch()
    for each in batches:
        yield each
        pause(stopwatch() - started)
        started = stopwatch()


def _prune_deliveries(database: Database, before: datetime, batch: int) -> Iterator[Pruned]:
    instant, after = to_milliseconds(before), ""
    page = (
        select(DeliveryRow.id, DeliveryRow.state, DeliveryRow.created_at, DeliveryRow.due_at)
        .where(DeliveryRow.id < _first_id(before))
        .order_by(DeliveryRow.id)
        .limit(batch)
    )
    while True:
        with database.transaction() as session:
            rows = session.execute(page.where(DeliveryRow.id > after)).all()
            if not rows:
                return
            # The due_at of a settled delivery is the end of its last attempt.
            old = [
                row.id
                for row in rows
                if row.state.is_end and max(row.created_at, row.due_at) < instant
            ]
            pruned = _delete_deliveries(session, old)
        after = rows[-1].id
        yield pruned


def _delete_deliveries(session: Session, old: Sequence[str]) -> Pruned:
    if not old:
        return Pruned()
    attempts = session.execute(
        delete(AttemptRow)
        .where(AttemptRow.delivery_id.in_(old))
        .returning(AttemptRow.number)
        .execution_options(synchronize_session=False)
    ).all()
    deliveries = session.execute(
        delete(DeliveryRow)
        .where(DeliveryRow.id.in_(old), DeliveryRow.state.in_(_ENDS))
        .returning(DeliveryRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    return Pruned(deliveries=len(deliveries), attempts=len(attempts))


def _prune_events(database: Database, before: datetime, batch: int) -> Iterator[Pruned]:
    after = ""
    # Lock the events before looking for their deliveries: a redelivery waits for this lock, or
    # holds one on the event itself, which is then skipped.
    page = (
        select(EventRow.id)
        .where(EventRow.id < _first_id(before), EventRow.recorded_at < to_milliseconds(before))
        .order_by(EventRow.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
    )
    while True:
        with database.transaction() as session:
            old = session.scalars(page.where(EventRow.id > after)).all()
            if not old:
                return
            pruned = _delete_events(session, old)
        after = old[-1]
        yield pruned


def _delete_events(session: Session, old: Sequence[str]) -> Pruned:
    has_delivery = exists().where(DeliveryRow.event_id == EventRow.id)
    events = session.execute(
        delete(EventRow)
        .where(EventRow.id.in_(old), ~has_delivery)
        .returning(EventRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    return Pruned(events=len(events))


def _prune_journal(database: Database, before: datetime, batch: int) -> Iterator[Pruned]:
    """Read the journal from its beginning, until its events are younger than the instant.

    A row is deleted when none of its events is left.
    """
    instant, cursor = to_milliseconds(before), START
    while True:
        with database.transaction() as session:
            rows = _stretch(session, cursor, batch)
            if not rows:
                return
            event_ids = {fact.event_id for row in rows for fact in row.facts}
            recorded_at = _recorded_at(session, event_ids)
            gone = [
                row
                for row in rows
                if recorded_at.keys().isdisjoint(fact.event_id for fact in row.facts)
            ]
            session.execute(
                delete(JournalRow)
                .where(JournalRow.position.in_([row.end.position for row in gone]))
                .execution_options(synchronize_session=False)
            )
        cursor = rows[-1].end
        yield Pruned(journal_entries=sum(len(row.facts) for row in gone))
        if any(each >= instant for each in recorded_at.values()):
            return


def _stretch(session: Session, after: Cursor, batch: int) -> list[Written]:
    """Return the next rows of the journal, until they have as many entries as a batch."""
    rows, entries = [], 0
    for row in journal.rows(session, after):
        rows.append(row)
        entries += len(row.facts)
        if entries >= batch:
            break
    return rows


def _recorded_at(session: Session, event_ids: set[str]) -> dict[str, int]:
    rows = session.execute(
        select(EventRow.id, EventRow.recorded_at).where(EventRow.id.in_(event_ids))
    )
    return {row.id: row.recorded_at for row in rows}


def _first_id(instant: datetime) -> str:
    """Return the text behind all ids that were made up to the second of an instant."""
    return f"{int(instant.timestamp()) + 1:08x}"


#: The passes of a run, in order. Each yields its batches.
PASSES = (_prune_deliveries, _prune_events, _prune_journal)
