"""Following what happens in a database, whichever process does it: ``tail`` and ``wait``.

Both read the journal by its cursor, in commit order, and so miss nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from leanbe_emitter.clock import pause, stopwatch
from leanbe_emitter.emitter.deliveries import Deliveries, Filter
from leanbe_emitter.emitter.snapshots import Attempt, Delivery, Event
from leanbe_emitter.emitter.transactions import Transactions
from leanbe_emitter.errors import WaitTimedOut
from leanbe_emitter.storage import journal
from leanbe_emitter.storage.journal import Cursor
from leanbe_emitter.storage.states import DeliveryStatus, JournalKind
from leanbe_emitter.storage.tables import EventRow, JournalRow

#: How long somebody who follows waits before looking again, in seconds.
LOOK_SECONDS = 0.05


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


class Watching:
    """Reads the journal of a database."""

    def __init__(self, transactions: Transactions, deliveries: Deliveries) -> None:
        self._transactions = transactions
        self._deliveries = deliveries

    def end(self) -> Cursor:
        """Return the cursor behind everything that has happened until now."""
        with self._transactions.looking() as session:
            return journal.end(session)

    def entries(self, after: Cursor) -> Sequence[Entry]:
        """Return what happened after a cursor, in commit order; empty where nothing did yet."""
        with self._transactions.looking() as session:
            rows = journal.read(session, after)
            events = {
                row.event_id: Event.of(event)
                for row in rows
                if (event := session.get(EventRow, row.event_id)) is not None
            }
        deliveries = {
            each.id: each
            for each in self._deliveries.of({row.delivery_id for row in rows if row.delivery_id})
        }
        return [
            _entry(row, events[row.event_id], deliveries.get(row.delivery_id or ""))
            for row in rows
            if row.event_id in events
        ]

    def follow(self, after: Cursor | None = None) -> Iterator[Entry]:
        """Yield what happens, from now on or after a cursor, for as long as somebody asks."""
        cursor = self.end() if after is None else after
        while True:
            entries = self.entries(cursor)
            for entry in entries:
                cursor = entry.cursor
                yield entry
            if not entries:
                pause(LOOK_SECONDS)

    def wait_for(
        self, which: Filter, *, count: int = 1, timeout_seconds: float
    ) -> Sequence[Delivery]:
        """Wait until so many deliveries match; without a status, any that is settled does.

        Raises:
            WaitTimedOut: there were fewer in that time.
        """
        found: Sequence[Delivery] = ()

        def enough() -> bool:
            nonlocal found
            found = self._matching(which, count)
            return len(found) >= count

        self._until(enough, timeout_seconds, lambda: f"{len(found)} of {count} deliveries came")
        return found

    def wait_until_idle(self, is_idle: Callable[[], bool], *, timeout_seconds: float) -> None:
        """Wait until nothing is due or in flight.

        Raises:
            WaitTimedOut: something still was after that time.
        """
        self._until(is_idle, timeout_seconds, lambda: "deliveries are still due or in flight")

    def _matching(self, which: Filter, count: int) -> Sequence[Delivery]:
        if which.status is not None:
            return self._deliveries.list(which, limit=count)
        found = self._deliveries.list(which, limit=max(count, 1) * 10)
        return [each for each in found if each.status is not DeliveryStatus.PENDING]

    def _until(
        self, is_met: Callable[[], bool], timeout_seconds: float, came: Callable[[], str]
    ) -> None:
        started = stopwatch()
        while not is_met():
            left = timeout_seconds - (stopwatch() - started)
            if left <= 0:
                raise WaitTimedOut(
                    f"After {timeout_seconds:g} s {came()}.",
                    hint="Is a worker running? leanbe-emitter deliveries list shows what is owed.",
                )
            pause(min(LOOK_SECONDS, left))


def _entry(row: JournalRow, event: Event, delivery: Delivery | None) -> Entry:
    return Entry(
        kind=JournalKind(row.kind),
        cursor=Cursor(transaction_id=row.transaction_id, position=row.position),
        event=event,
        delivery=delivery,
        attempt=_attempt(delivery, row.number),
        status=DeliveryStatus(row.status) if row.status else None,
    )


def _attempt(delivery: Delivery | None, number: int | None) -> Attempt | None:
    if delivery is None or number is None:
        return None
    return next((each for each in delivery.attempts if each.number == number), None)
