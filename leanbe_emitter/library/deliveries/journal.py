"""``leanbe.journal``: the journal of what happens in a database, in whichever process.

A cursor is a position in the journal. Entries are read in the order of commits, so that no entry is
missed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import pause
from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.delivery import Delivery, Event
from leanbe_emitter.library.runtime.awaitables import POLL_SECONDS
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.storage.queries import journal, sizes
from leanbe_emitter.storage.queries.journal import START, Cursor, Fact
from leanbe_emitter.storage.schema.states import DeliveryStatus, JournalKind
from leanbe_emitter.storage.schema.tables import EventRow

#: How much a reader reads at once, in bytes of bodies; one entry is read in any case.
READ_BYTES = 4 << 20


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of the journal.

    Attributes:
        kind: what happened.
        cursor: the position after this entry.
        event: the event.
        delivery: the delivery in its present state; None if the event has none.
        attempt: the attempt, if the entry is about one.
        status: the delivery's final status, if the entry is about its settlement.
    """

    kind: JournalKind
    cursor: Cursor
    event: Event
    delivery: Delivery | None
    attempt: Attempt | None
    status: DeliveryStatus | None

    def made(self) -> dict[str, Any] | None:
        """Return the attempt as JSON with its delivery and event; None if there is no attempt."""
        if self.attempt is None:
            return None
        whose = {"delivery": self.attempt.delivery_id, "event": self.attempt.event}
        return {**whose, **self.attempt.document()}


class Journal:
    """Reads the journal of a database, by cursor."""

    def __init__(self, transactions: Transactions, deliveries: Deliveries) -> None:
        self._transactions = transactions
        self._deliveries = deliveries

    def follow_cursor(self) -> Cursor:
        """Return a cursor for following the journal from now on without missing an entry.

        On PostgreSQL the cursor is before the entries that an open transaction may still precede,
        so it may be before some committed entries.
        """
        with self._transactions.looking() as session:
            return journal.end(session)

    def wait_cursor(self) -> Cursor:
        """Return a cursor before all entries of transactions that begin from now on.

        Use it to wait for the results of an action. All committed entries are before it. On
        PostgreSQL, entries of transactions that are open now may come before it, too.
        """
        with self._transactions.looking() as session:
            return journal.end(session, whole=True)

    def require_reached(self, cursor: Cursor) -> None:
        """Check that a cursor is not after the last entry; it may be from before a reset.

        Raises:
            InvalidValue: the cursor is after the last entry.
        """
        with self._transactions.looking() as session:
            journal.require_reached(session, cursor)

    def next(self, after: Cursor, *, whole: bool = False) -> tuple[Sequence[Entry], Cursor]:
        """Return the next entries whose event still exists, and the cursor to continue from.

        Args:
            after: the cursor.
            whole: whether all committed entries are read, as with ``read_all``.
        """
        with self._transactions.looking() as session:
            rows = _first_of(session, journal.read(session, after, whole=whole))
            wanted = {each.event_id for each in rows}
            events = {
                row.id: Event.of(row)
                for row in session.scalars(select(EventRow).where(EventRow.id.in_(wanted)))
            }
        deliveries = {
            each.id: each
            for each in self._deliveries.of({each.delivery_id for each in rows if each.delivery_id})
        }
        entries = [
            _entry(each, events[each.event_id], deliveries.get(each.delivery_id or ""))
            for each in rows
            if each.event_id in events
        ]
        return entries, rows[-1].cursor if rows else after

    def facts(self, after: Cursor, *, limit: int) -> tuple[Sequence[Fact], Cursor]:
        """Return the next facts after a cursor, in commit order, and the cursor behind them.

        Args:
            after: the cursor.
            limit: how many facts are enough; facts of one call come together.
        """
        with self._transactions.looking() as session:
            return journal.read_facts(session, after, limit=limit)

    def read_all(self, after: Cursor = START) -> Iterator[Entry]:
        """Yield all committed entries after a cursor; by default, from the first entry.

        On PostgreSQL an open transaction may still add an entry before the last one. To continue
        afterwards, ask ``follow_cursor`` for a cursor before this call.
        """
        cursor = after
        while True:
            entries, end = self.next(cursor, whole=True)
            yield from entries
            if end == cursor:
                return
            cursor = end

    def follow(self, after: Cursor | None = None) -> Iterator[Entry]:
        """Yield entries as they come, without end.

        Args:
            after: a cursor to begin after; by default, the moment of the call.

        Raises:
            Conflict: a transaction is open: it would not see what other processes do.
            InvalidValue: ``after`` is after the last entry.
        """
        self._transactions.require_none("Following")
        if after is None:
            return self._follow(self.follow_cursor())
        self.require_reached(after)
        return self._follow(after)

    def _follow(self, cursor: Cursor) -> Iterator[Entry]:
        while True:
            entries, end = self.next(cursor)
            yield from entries
            if end == cursor:
                pause(POLL_SECONDS)
            cursor = end


def _first_of(session: Session, rows: Sequence[journal.Entry]) -> Sequence[journal.Entry]:
    """Return the first of these entries, as many as may be read at once."""
    if len(rows) <= 1:
        return rows
    of_events = sizes.event_sizes(session, {each.event_id for each in rows})
    deliveries = {each.delivery_id for each in rows if each.delivery_id}
    of_deliveries = sizes.delivery_sizes(session, deliveries)
    weights = [
        of_events.get(each.event_id, 0)
        if each.kind is JournalKind.EVENT
        else of_deliveries.get(each.delivery_id or "", 0)
        for each in rows
    ]
    return rows[: sizes.fitting(weights, max_bytes=READ_BYTES)]


def _entry(row: journal.Entry, event: Event, delivery: Delivery | None) -> Entry:
    return Entry(
        kind=row.kind,
        cursor=row.cursor,
        event=event,
        delivery=delivery,
        attempt=_attempt(delivery, row.number),
        status=row.status,
    )


def _attempt(delivery: Delivery | None, number: int | None) -> Attempt | None:
    if delivery is None or number is None:
        return None
    return next((each for each in delivery.attempts if each.number == number), None)
