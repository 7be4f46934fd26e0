"""Following what happens in a database, whichever process does it.

The journal is read by its cursor, in commit order, so that nothing is missed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from leanbe_emitter.clock import pause
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.delivery import Attempt, Delivery, Event
from leanbe_emitter.library.runtime.polling import LOOK_SECONDS
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.journal import START, Cursor
from leanbe_emitter.storage.schema.states import DeliveryStatus, JournalKind
from leanbe_emitter.storage.schema.tables import EventRow


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened.

    Attributes:
        cursor: where to go on from after it.
        event: the event that it is about.
        delivery: its delivery as it stands now; None where nothing is owed.
        attempt: the attempt that was made, if it is one.
        status: what the delivery was settled as, if it was.
    """

    kind: JournalKind
    cursor: Cursor
    event: Event
    delivery: Delivery | None
    attempt: Attempt | None
    status: DeliveryStatus | None

    def made(self) -> dict[str, Any] | None:
        """Return the attempt as JSON, with whose it was; None where the entry is of none."""
        if self.attempt is None or self.delivery is None:
            return None
        whose = {"delivery": self.delivery.id, "event": self.event.name}
        return {**whose, **self.attempt.document()}


class Watching:
    """Reads the journal of a database."""

    def __init__(self, transactions: Transactions, deliveries: Deliveries) -> None:
        self._transactions = transactions
        self._deliveries = deliveries

    def end(self) -> Cursor:
        """Return the cursor behind everything that has happened until now.

        It is one to go on from and miss nothing: on PostgreSQL it stands before whatever somebody's
        open transaction may still precede, and so before some that has happened.
        """
        with self._transactions.looking() as session:
            return journal.end(session)

    def beginning(self) -> Cursor:
        """Return a cursor that all comes behind that is begun from now on, and nothing that ended.

        It is one to wait from for what an action will bring about. On PostgreSQL, what others have
        begun already may come to stand before it.
        """
        with self._transactions.looking() as session:
            return journal.end(session, whole=True)

    def require_reached(self, cursor: Cursor) -> None:
        """See that a cursor can have been handed out, be it before a reset.

        Raises:
            InvalidValue: it lies ahead of all that has happened.
        """
        with self._transactions.looking() as session:
            journal.require_reached(session, cursor)

    def entries(self, after: Cursor) -> Sequence[Entry]:
        """Return what happened after a cursor, in commit order; empty where nothing did yet."""
        return self._read(after)[0]

    def next(self, after: Cursor) -> tuple[Sequence[Entry], Cursor]:
        """Return what happened next after a cursor, and the cursor to go on from."""
        return self._read(after)

    def until_now(self, after: Cursor = START) -> Iterator[Entry]:
        """Yield all that has happened after a cursor, from the beginning if it is not given.

        That is all, though on PostgreSQL somebody's open transaction may put more before it yet:
        to go on from there, ask ``end`` for a cursor before.
        """
        cursor = after
        while True:
            entries, end = self._read(cursor, whole=True)
            yield from entries
            if end == cursor:
                return
            cursor = end

    def follow(self, after: Cursor | None = None) -> Iterator[Entry]:
        """Yield what happens, for as long as somebody asks.

        Args:
            after: where to begin; the moment of the call, if it is not given.

        Raises:
            Conflict: a transaction is open: it would not see what others do.
            InvalidValue: ``after`` lies ahead of all that has happened.
        """
        self._transactions.require_none("Following")
        if after is None:
            return self._follow(self.end())
        self.require_reached(after)
        return self._follow(after)

    def _follow(self, cursor: Cursor) -> Iterator[Entry]:
        while True:
            entries, end = self._read(cursor)
            yield from entries
            if end == cursor:
                pause(LOOK_SECONDS)
            cursor = end

    def _read(self, after: Cursor, *, whole: bool = False) -> tuple[Sequence[Entry], Cursor]:
        """Return the next entries, less those whose event is gone, and the cursor behind all."""
        with self._transactions.looking() as session:
            told = journal.read(session, after, whole=whole)
            wanted = {each.event_id for each in told}
            events = {
                row.id: Event.of(row)
                for row in session.scalars(select(EventRow).where(EventRow.id.in_(wanted)))
            }
        deliveries = {
            each.id: each
            for each in self._deliveries.of({each.delivery_id for each in told if each.delivery_id})
        }
        entries = [
            _entry(each, events[each.event_id], deliveries.get(each.delivery_id or ""))
            for each in told
            if each.event_id in events
        ]
        return entries, told[-1].cursor if told else after


def _entry(told: journal.Entry, event: Event, delivery: Delivery | None) -> Entry:
    return Entry(
        kind=told.kind,
        cursor=told.cursor,
        event=event,
        delivery=delivery,
        attempt=_attempt(delivery, told.number),
        status=told.status,
    )


def _attempt(delivery: Delivery | None, number: int | None) -> Attempt | None:
    if delivery is None or number is None:
        return None
    return next((each for each in delivery.attempts if each.number == number), None)
