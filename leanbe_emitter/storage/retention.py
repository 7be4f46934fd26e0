"""Retention: what is settled and old goes, in batches; what is owed stays, however old it is.

An event goes when it is old and no delivery of it is left, so that a late redelivery keeps it. Each
batch is a transaction of its own and reads one stretch of a primary key: ids begin with the second
of their creation, so that no index is needed, and none of the hot path's is touched.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import pause, stopwatch, to_milliseconds
from leanbe_emitter.storage import journal
from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.journal import START, Cursor
from leanbe_emitter.storage.states import DeliveryState
from leanbe_emitter.storage.tables import AttemptRow, DeliveryRow, EventRow, JournalRow

#: How many rows one transaction looks at.
BATCH = 500

_ENDS = [state for state in DeliveryState if state.is_end]


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """How many rows went."""

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
    told: Callable[[Pruned], None] = lambda _: None,
) -> Pruned:
    """Delete what was settled before an instant, and the events that nothing is owed for any more.

    Broken off, it leaves nothing half-way; the next one goes on.

    Args:
        database: where.
        before: what was recorded and settled earlier goes.
        batch: how many rows one transaction looks at.
        told: is told after each batch how many rows have gone until then.

    Raises:
        DatabaseUnavailable: the database went away; the batches before are done.
    """
    pruned = Pruned()
    for passing in PASSES:
        for more in _unhurried(passing(database, before, batch)):
            pruned += more
            told(pruned)
    return pruned


def _unhurried(batches: Iterator[Pruned]) -> Iterator[Pruned]:
    """Pause for as long as each batch took: on SQLite, writers do not queue."""
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
            # A settled delivery's due_at is the instant of its last attempt's end.
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
    # Locked before it is asked what is left of them: who owes an event again waits for this lock,
    # or holds one of its own on the event, which is then passed over.
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
    owed = exists().where(DeliveryRow.event_id == EventRow.id)
    events = session.execute(
        delete(EventRow)
        .where(EventRow.id.in_(old), ~owed)
        .returning(EventRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    return Pruned(events=len(events))


def _prune_journal(database: Database, before: datetime, batch: int) -> Iterator[Pruned]:
    """Go through the journal from its beginning until what it tells of is younger."""
    instant, cursor = to_milliseconds(before), START
    while True:
        with database.transaction() as session:
            entries = journal.read(session, cursor, limit=batch)
            if not entries:
                return
            recorded_at = _recorded_at(session, {entry.event_id for entry in entries})
            gone = [each.position for each in entries if each.event_id not in recorded_at]
            session.execute(
                delete(JournalRow)
                .where(JournalRow.position.in_(gone))
                .execution_options(synchronize_session=False)
            )
        last = entries[-1]
        cursor = Cursor(transaction_id=last.transaction_id, position=last.position)
        yield Pruned(journal_entries=len(gone))
        if any(each >= instant for each in recorded_at.values()):
            return


def _recorded_at(session: Session, event_ids: set[str]) -> dict[str, int]:
    rows = session.execute(
        select(EventRow.id, EventRow.recorded_at).where(EventRow.id.in_(event_ids))
    )
    return {row.id: row.recorded_at for row in rows}


def _first_id(instant: datetime) -> str:
    """Return what every id that was made in or after the second of an instant follows."""
    return f"{int(instant.timestamp()) + 1:08x}"


#: What a run does, one after the other, each in its batches.
PASSES = (_prune_deliveries, _prune_events, _prune_journal)
