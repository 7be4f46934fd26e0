"""``leanbe.deliveries``: what is owed, what was sent, and the evidence of every attempt."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Executable, bindparam, select
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue.strict_ordering import holders_of, strict_among
from leanbe_emitter.errors import Conflict, NotFound
from leanbe_emitter.hints import LIST_DELIVERIES
from leanbe_emitter.library.deliveries.delivery import Attempt, Delivery, DeliveryRef, Event
from leanbe_emitter.library.deliveries.delivery_wait import DeliveryWait
from leanbe_emitter.library.deliveries.filter import Filter, selected
from leanbe_emitter.library.deliveries.last_request import as_command, explained
from leanbe_emitter.library.deliveries.pending_reason import (
    Owed,
    PendingReason,
    of_nothing,
    of_pending,
    of_settled,
)
from leanbe_emitter.library.runtime.awaitables import waits
from leanbe_emitter.library.runtime.paging import PAGE, Page, check_limit, cursor_of, newest
from leanbe_emitter.library.runtime.polling import wait_until
from leanbe_emitter.library.runtime.references import delivery_row
from leanbe_emitter.library.runtime.results import Results
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.outbox import cancel
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.storage.queries.prepared import found as found_by
from leanbe_emitter.storage.schema.states import UNHELD, DeliveryStatus
from leanbe_emitter.storage.schema.tables import AttemptRow, DeliveryRow, EventRow, WebhookRow
from leanbe_emitter.wire.explain.explainer import Explanation
from leanbe_emitter.wire.instants import print_instant

# All there are.
_MOST = 1_000_000

#: How many ids one statement names: databases take some ten thousand at the most.
_IDS_AT_ONCE = 500

#: A delivery, and where its product's webhook is.
_DELIVERIES = (
    select(*DeliveryRow.__table__.columns, WebhookRow.url)
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


class Deliveries:
    """The deliveries of a database.

    Args:
        redeliver: owes the events of deliveries again and makes the first attempts at once;
            returns the ids of the new deliveries.
    """

    def __init__(
        self, transactions: Transactions, *, redeliver: Callable[[Sequence[str]], Results[str]]
    ) -> None:
        self._transactions = transactions
        self._redeliver = redeliver

    def get(self, reference: DeliveryRef) -> Delivery:
        """Return the delivery of that id, or of a part of it.

        Raises:
            NotFound: there is none.
            InvalidValue: there are several.
        """
        with self._transactions.looking() as session:
            return self._snapshots(session, [delivery_row(session, reference).id])[0]

    def list(
        self, which: Filter | None = None, *, limit: int = PAGE, after: str | None = None
    ) -> Page[Delivery]:
        """Return the newest deliveries first, up to ``limit``.

        Args:
            which: those that are meant; all, if it is left out.
            limit: how many at the most.
            after: the cursor of the page before.

        Raises:
            NotFound: the filter names a product that is not there.
            InvalidValue: its glob matches no event name, its status is none, ``limit`` is 0, or
                ``after`` is no cursor.
        """
        check_limit(limit)
        with self._transactions.looking() as session:
            found = selected(session, which or Filter(), DeliveryRow.id)
            at, identifier = DeliveryRow.created_at, DeliveryRow.id
            ids = session.scalars(newest(found, at, identifier, limit=limit + 1, after=after)).all()
            deliveries = self._snapshots(session, ids[:limit])
        is_more = len(ids) > limit
        cursor = cursor_of(deliveries[-1].created_at, deliveries[-1].id) if is_more else None
        return Page(deliveries, cursor=cursor)

    def among(self, ids: Iterable[str], which: Filter) -> Sequence[Delivery]:
        """Return those of these deliveries that a filter means, the newest first.

        Raises:
            NotFound: the filter names a product that is not there.
            InvalidValue: its glob matches no event name, or its status is none.
        """
        wanted = sorted(set(ids), reverse=True)
        with self._transactions.looking() as session:
            found = selected(session, which, DeliveryRow.id)
            meant = [
                each
                for start in range(0, len(wanted), _IDS_AT_ONCE)
                for each in session.scalars(
                    found.where(DeliveryRow.id.in_(wanted[start : start + _IDS_AT_ONCE]))
                )
            ]
            return self._snapshots(session, sorted(meant, reverse=True))

    def last(self, event: str | None = None) -> Delivery:
        """Return the newest delivery, of an event name or glob, or of any.

        Raises:
            NotFound: there is none.
        """
        found = self.list(Filter(event=event), limit=1)
        if not found:
            raise NotFound(f"There is no delivery{f' of {event!r}' if event else ''} yet.")
        return found[0]

    @waits("leanbe.deliveries.wait_for()")
    async def wait_for(
        self,
        which: Filter | str,
        *,
        count: int = 1,
        after: Cursor | None = None,
        timeout_seconds: float,
    ) -> Results[Delivery]:
        """Wait until so many match, whoever attempts them; without a status, if they are settled.

        Args:
            which: those that are waited for; an event name, or a glob, is short for its filter.
            count: how many.
            after: only those that something happened to behind this cursor, as
                ``leanbe.watching.beginning()`` gives it; left out, those from before, too.
            timeout_seconds: how long to wait.

        Returns:
            The newest, first.

        Raises:
            Conflict: a transaction is open: it would not see what others do.
            InvalidValue: the filter is refused, or ``count`` is less than 1.
            WaitTimedOut: there were fewer in that time.
        """
        self._transactions.require_none("Waiting")
        wanted = Filter(event=which) if isinstance(which, str) else which
        delivery_wait = self.delivery_wait(wanted, count=count, after=after)
        await wait_until(
            delivery_wait.look,
            timeout_seconds=timeout_seconds,
            came=lambda: str(delivery_wait),
            why=lambda: self.pending_reason(wanted).words,
        )
        return Results(delivery_wait.found)

    def delivery_wait(
        self, which: Filter, *, count: int = 1, after: Cursor | None = None
    ) -> DeliveryWait:
        """Return what looks for ``wait_for``, for callers who wait by themselves."""
        return DeliveryWait(self, self._told, which, count=count, after=after)

    def pending_reason(self, which: Filter) -> PendingReason:
        """Say why no more deliveries have come to be what a filter asks for.

        Raises:
            NotFound: the filter names a product that is not there.
            InvalidValue: its glob matches no event name.
        """
        pending = self.list(replace(which, status=DeliveryStatus.PENDING, is_settled=None))
        if owed := self.owed(each.id for each in pending):
            with self._transactions.looking() as session:
                return of_pending(session, owed, clock=self._transactions.clock)
        if which.status is not None:
            for each in self.list(replace(which, status=None, is_settled=True)):
                if each.status != which.status:
                    return of_settled(each)
        with self._transactions.looking() as session:
            return of_nothing(session, which.product)

    def behind(self, after: Cursor) -> Sequence[Delivery]:
        """Return those that something happened to behind a cursor, the newest first.

        It returns their present state, for a caller that looks once. ``DeliveryWait`` looks again.
        """
        return self.among(self._told(after, whole=True)[0], Filter())

    def of(self, delivery_ids: Iterable[str]) -> Sequence[Delivery]:
        """Return the deliveries of these ids, in the same order, less those that are gone."""
        with self._transactions.looking() as session:
            return self._snapshots(session, list(delivery_ids))

    def owed(self, delivery_ids: Iterable[str]) -> Sequence[Owed]:
        """Return those of these deliveries that are owed, each with what has to end first."""
        with self._transactions.looking() as session:
            found = self._snapshots(session, list(delivery_ids))
            pending = [each for each in found if each.status is DeliveryStatus.PENDING]
            firsts = self._firsts(session, {each.event.product_id for each in pending})
        return [
            # What is in flight has begun, whatever stands before it.
            Owed(delivery=each, first=each if each.next_due_at is None else first)
            for each in pending
            for first in [firsts.get(each.event.product_id, each)]
        ]

    def snapshot(self, which: Filter | None = None) -> Sequence[dict[str, Any]]:
        """Return what was sent and what came of it, oldest first, to be compared with another run.

        Plain values, the same in every run of the same calls with a seed and a ``ManualClock``:
        each delivery's event, status, URL and body, and its attempts; no durations, and no ids but
        those in the bodies.

        Raises:
            NotFound: the filter names a product that is not there.
            InvalidValue: its glob matches no event name, or its status is none.
        """
        return [_comparable(each) for each in reversed(self.list(which, limit=_MOST))]

    @waits("leanbe.deliveries.redeliver()")
    async def redeliver(self, reference: DeliveryRef) -> Delivery:
        """Deliver an old event again: the same bytes, to the product's present URL, at once.

        Raises:
            NotFound: there is no such delivery.
            Conflict: its product has no URL now.
        """
        with self._transactions.looking() as session:
            row = delivery_row(session, reference)
        return self.get(*(await self._redeliver([row.id])))

    @waits("delivery.redeliver()")
    async def redeliver_times(self, delivery: Delivery, *, times: int) -> Results[Delivery]:
        """Do ``redeliver`` so many times, one after the other."""
        return Results([await self.redeliver(delivery.id) for _ in range(times)])

    def discard(
        self, references: Iterable[DeliveryRef] = (), *, which: Filter | None = None
    ) -> Sequence[Delivery]:
        """Give up what is pending, by name or by filter; return what was cancelled.

        Of what a filter means, what is in flight at this moment or settled is left alone.

        Raises:
            NotFound: there is no such delivery, or no such product as the filter names.
            Conflict: a delivery that is named is settled already, or in flight; all are left alone.
            InvalidValue: a reference names several, or the filter is refused.
        """
        with self._transactions.acting() as action:
            session = action.session
            ids = [delivery_row(session, reference).id for reference in references]
            cancelled = _cancel_named(session, ids) if ids else []
            if which is not None:
                found = selected(session, which, DeliveryRow.id)
                cancelled += cancel(session, DeliveryRow.id.in_(found))
        return self.of(cancelled)

    def curl(self, delivery: Delivery, *, masks: bool = False) -> str:
        """Return a shell command that sends the delivery's last request again, byte for byte.

        Args:
            delivery: which one.
            masks: whether ``********`` stands for the values of headers that the product set.

        Raises:
            Conflict: nothing was sent yet, and there is no URL to send it to.
            NotFound: the product was deleted meanwhile.
        """
        with self._transactions.looking() as session:
            return as_command(session, delivery, masks=masks)

    def explain(self, delivery: Delivery, *, got: str | None = None) -> Explanation:
        """Say what is wrong with a delivery's body, or with the receiver that computed ``got``.

        The product's present secret is the right one; its old ones and those of other products are
        recognised. A fault of the last attempt is told, so that nobody takes it for a mistake.

        Raises:
            InvalidValue: the product never had a secret.
            NotFound: the product was deleted meanwhile.
        """
        with self._transactions.looking() as session:
            return explained(session, delivery, got=got)

    def _told(self, after: Cursor, *, whole: bool = False) -> tuple[set[str], Cursor]:
        """Return the ids of deliveries that the journal tells of behind a cursor, and its end."""
        ids = set[str]()
        while True:
            with self._transactions.looking() as session:
                entries = journal.read(session, after, whole=whole)
            if not entries:
                return ids, after
            ids.update(each.delivery_id for each in entries if each.delivery_id)
            after = entries[-1].cursor

    def _firsts(self, session: Session, product_ids: Collection[str]) -> Mapping[str, Delivery]:
        """Return what has to end first of each of these products that is strict."""
        holders = holders_of(session, strict_among(session, product_ids))
        return {
            each.event.product_id: each for each in self._snapshots(session, [*holders.values()])
        }

    def _snapshots(self, session: Session, wanted: Sequence[str]) -> Sequence[Delivery]:
        """Return the deliveries of these ids, in the same order, less those that are gone."""
        attempts: dict[str, list[Any]] = defaultdict(list)
        for attempt in _rows(session, _ATTEMPTS, wanted):
            attempts[attempt.delivery_id].append(attempt)
        events = {row.id: Event.of(row) for row in _rows(session, _EVENTS, wanted)}
        found = {
            row.id: self._snapshot(row, events[row.event_id], attempts[row.id])
            for row in _rows(session, _DELIVERIES, wanted)
            # Where others may commit between two statements, it was pruned with its event.
            if row.event_id in events
        }
        return [found[each] for each in wanted if each in found]

    def _snapshot(self, row: Any, event: Event, attempts: Sequence[Any]) -> Delivery:
        made = tuple(Attempt.of(each, event) for each in attempts)
        return Delivery.of(row, event, made, url=row.url, actions=self)


def _comparable(delivery: Delivery) -> dict[str, Any]:
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
                # Another body than the event's own is an assumption's doing, or a fault's.
                **({} if each.request_body == event.body else {"body": _text(each.request_body)}),
            }
            for each in delivery.attempts
        ],
    }


def _text(body: bytes) -> str:
    return body.decode(errors="backslashreplace")


def _cancel_named(session: Session, ids: Sequence[str]) -> list[str]:
    """Cancel all of these, or none.

    Raises:
        Conflict: one of them is settled already, or in flight.
    """
    states = select(DeliveryRow.id, DeliveryRow.state).where(DeliveryRow.id.in_(ids))
    # Locked as an update would, and in an order, so that no worker claims one of them meanwhile.
    locked = states.order_by(DeliveryRow.id).with_for_update(key_share=True)
    for identifier, state in session.execute(locked):
        if state in UNHELD:
            continue
        what = f"{state} already" if state.is_end else "in flight"
        raise Conflict(
            f"The delivery {identifier} is {what}.",
            hint=LIST_DELIVERIES.between(
                "What is owed can be given up between its attempts: ", " shows it."
            ),
        )
    return cancel(session, DeliveryRow.id.in_(ids))


def _rows(session: Session, statement: Executable, ids: Iterable[str]) -> Iterator[Any]:
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        yield from found_by(session, statement, ids=wanted[start : start + _IDS_AT_ONCE])
