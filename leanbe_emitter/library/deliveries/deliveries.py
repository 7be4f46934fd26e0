"""``leanbe.deliveries``: lists deliveries, waits for them, redelivers and explains them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from sqlalchemy import func
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue.strict_ordering import holders_of, strict_among
from leanbe_emitter.delivery.watching import Watcher
from leanbe_emitter.domain import lookup
from leanbe_emitter.errors import NotFound
from leanbe_emitter.library.deliveries import reading
from leanbe_emitter.library.deliveries.delivery import Delivery, DeliveryRef, Event
from leanbe_emitter.library.deliveries.delivery_filter import (
    DeliveryCount,
    Filter,
    count_deliveries,
    searched,
    selected,
)
from leanbe_emitter.library.deliveries.delivery_requests import DeliveryRequests
from leanbe_emitter.library.deliveries.discarding import cancel_named, discardable
from leanbe_emitter.library.deliveries.redelivery import Job, Redelivered, Redelivery
from leanbe_emitter.library.deliveries.waiting import (
    DeliveryWait,
    PendingDelivery,
    PendingReason,
    reason_none,
    reason_pending,
    reason_settled,
)
from leanbe_emitter.library.runtime.awaitables import Results, wait_until, waits
from leanbe_emitter.library.runtime.delivery_engine import Engine
from leanbe_emitter.library.runtime.paging import PAGE, Page, check_limit, cursor_of, newest_ids
from leanbe_emitter.library.runtime.transactions import Transactions, one_transaction
from leanbe_emitter.outbox import cancel
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from leanbe_emitter.storage.schema.tables import DeliveryRow

if TYPE_CHECKING:
    from leanbe_emitter.library.deliveries.list_rows import RowOfDelivery

# More deliveries than a database has.
_MOST = 1_000_000

#: About how many bytes of bodies are read to explain why nothing comes.
_LOOKED_AT = 4 << 20


class Behind(list[Delivery]):
    """Deliveries behind a cursor of the journal, the newest first.

    Attributes:
        end: the cursor behind which the next ones are; None if there are no more.
    """

    def __init__(self, deliveries: Iterable[Delivery], *, end: Cursor | None) -> None:
        super().__init__(deliveries)
        self.end = end


class Deliveries:
    """The deliveries of a database.

    Attributes:
        requests: their requests, which a delivery's snapshot shows.
    """

    def __init__(self, transactions: Transactions, engine: Engine) -> None:
        self._transactions = transactions
        self._redelivery = Redelivery(transactions, engine)
        self.requests = DeliveryRequests(transactions, engine)

    def get(self, reference: DeliveryRef) -> Delivery:
        """Return the delivery of that id, or of a part of the id.

        Raises:
            NotFound: no delivery matches.
            InvalidValue: several deliveries match.
        """
        with self._transactions.looking() as session:
            return self._snapshots(session, [lookup.delivery(session, reference).id])[0]

    def list(
        self,
        which: Filter | None = None,
        *,
        limit: int = PAGE,
        after: str | None = None,
        max_bytes: int | None = None,
    ) -> Page[Delivery]:
        """Return deliveries, the newest first.

        Args:
            which: a filter; all deliveries by default.
            limit: the most deliveries that are returned.
            after: the cursor of the page before.
            max_bytes: about the most bytes of bodies on a page that has several deliveries; by
                default there is no limit.

        Raises:
            NotFound: there is no such product as the filter names.
            InvalidValue: the filter's glob matches no event name, there is no such status,
                ``limit`` is 0, or ``after`` is no cursor.
        """
        check_limit(limit)
        with self._transactions.looking() as session:
            ids = reading.newest_ids(session, which or Filter(), limit=limit + 1, after=after)
            deliveries = self._snapshots(session, reading.fitting(session, ids[:limit], max_bytes))
        is_more = len(ids) > len(deliveries) > 0
        cursor = cursor_of(deliveries[-1].created_at, deliveries[-1].id) if is_more else None
        return Page(deliveries, cursor=cursor)

    def rows(
        self, which: Filter | None = None, *, limit: int = PAGE, after: str | None = None
    ) -> "Page[RowOfDelivery]":
        """Return deliveries as rows of a list, the newest first: without bodies and answers.

        Args:
            which: a filter; all deliveries by default.
            limit: the most rows that are returned.
            after: the cursor of the page before.

        Raises:
            NotFound: there is no such product as the filter names.
            InvalidValue: as with ``list``.
        """
        check_limit(limit)
        with self._transactions.looking() as session:
            ids = reading.newest_ids(session, which or Filter(), limit=limit + 1, after=after)
            rows = _read_rows(session, ids[:limit])
        is_more = len(ids) > limit and len(rows) > 0
        return Page(rows, cursor=cursor_of(rows[-1].owed_at, rows[-1].id) if is_more else None)

    def count(self, which: Filter | None = None) -> DeliveryCount:
        """Count deliveries, by status; counting stops at 100 000.

        Raises:
            NotFound: there is no such product as the filter names.
            InvalidValue: as with ``list``.
        """
        with self._transactions.looking() as session:
            return count_deliveries(session, which or Filter())

    def searched(self, which: Filter) -> int | None:
        """Return how many of the newest deliveries a filter looks at; None: at all that there are.

        A filter with ``q`` or ``about`` looks at the newest 10 000.
        """
        with self._transactions.looking() as session:
            return searched(session, which)

    def rows_of(self, delivery_ids: Iterable[str]) -> "Sequence[RowOfDelivery]":
        """Return the rows of these deliveries in the same order, without deleted ones."""
        with self._transactions.looking() as session:
            return _read_rows(session, list(delivery_ids))

    def outcomes_of(self, attempts: Iterable[tuple[str, int]]) -> Counter[Outcome]:
        """Count attempts by their outcomes, without those that are deleted.

        Args:
            attempts: the attempts, each by its delivery's id and its number.
        """
        with self._transactions.looking() as session:
            return reading.outcomes_of(session, set(attempts))

    def last(self, event: str | None = None) -> Delivery:
        """Return the newest delivery of an event name or glob; by default, of any event.

        Raises:
            NotFound: there is no such delivery.
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
        """Wait until ``count`` deliveries match, whichever process attempts them.

        Args:
            which: a filter, or an event name or glob. A filter without a status selects settled
                deliveries.
            count: how many deliveries to wait for.
            after: a cursor of ``leanbe.journal.wait_cursor()``: only deliveries that were recorded,
                attempted or settled after it count. By default all count.
            timeout_seconds: how long to wait.

        Returns:
            The deliveries, the newest first.

        Raises:
            Conflict: a transaction is open: it would not see what other processes do.
            InvalidValue: the filter is refused, or ``count`` is less than 1.
            WaitTimedOut: fewer deliveries matched in that time.
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
        return Results(self.of(delivery_wait.found))

    def delivery_wait(
        self, which: Filter, *, count: int = 1, after: Cursor | None = None
    ) -> DeliveryWait:
        """Return the poller that ``wait_for`` uses, for callers that wait in their own way."""
        return DeliveryWait(self._transactions, which, count=count, after=after)

    def pending_reason(self, which: Filter) -> PendingReason:
        """Explain why no more deliveries match a filter.

        Raises:
            NotFound: there is no such product as the filter names.
            InvalidValue: the filter's glob matches no event name.
        """
        pending = replace(which, status=DeliveryStatus.PENDING, is_settled=None)
        looked_at = self.list(pending, max_bytes=_LOOKED_AT)
        if unfinished := self.pending_of(each.id for each in looked_at):
            with self._transactions.looking() as session:
                return reason_pending(session, unfinished, clock=self._transactions.clock)
        if which.status is not None:
            settled = replace(which, status=None, is_settled=True)
            for each in self.list(settled, max_bytes=_LOOKED_AT):
                if each.status != which.status:
                    return reason_settled(each)
        with self._transactions.looking() as session:
            return reason_none(session, which.product)

    def behind(self, after: Cursor, *, limit: int, max_bytes: int) -> Behind:
        """Return the first deliveries with journal entries after a cursor, in their present state.

        Args:
            after: the cursor.
            limit: the most deliveries that are returned.
            max_bytes: about the most bytes of bodies, if there are several deliveries.
        """
        with self._transactions.looking() as session:
            ids, end = reading.ids_behind(session, after, limit=limit, max_bytes=max_bytes)
            return Behind(self._snapshots(session, ids), end=end)

    def of(
        self,
        delivery_ids: Iterable[str],
        *,
        max_bytes: int | None = None,
        events: Sequence[Event] | None = None,
    ) -> Sequence[Delivery]:
        """Return the deliveries of these ids in the same order, without deleted ones.

        Args:
            delivery_ids: the ids.
            max_bytes: about the most bytes of bodies; the last deliveries are left out then.
            events: the deliveries' events, if the caller has them; they never change.
        """
        with self._transactions.looking() as session:
            wanted = reading.fitting(session, list(delivery_ids), max_bytes)
            return self._snapshots(session, wanted, events)

    def pending_of(self, delivery_ids: Iterable[str]) -> Sequence[PendingDelivery]:
        """Return the pending deliveries of these ids, each with the one that must end first."""
        with self._transactions.looking() as session:
            found = self._snapshots(session, list(delivery_ids))
            pending = [each for each in found if each.status is DeliveryStatus.PENDING]
            firsts = self._firsts(session, {each.event.product_id for each in pending})
        return [
            # A delivery in flight has begun, whichever delivery comes before it.
            PendingDelivery(delivery=each, first=each if each.next_due_at is None else first)
            for each in pending
            for first in [firsts.get(each.event.product_id, each)]
        ]

    def snapshot(self, which: Filter | None = None) -> Sequence[dict[str, Any]]:
        """Return deliveries and their attempts as plain values, to compare one run with another.

        With a seed and a ``ManualClock``, the same calls give the same values in every run. Each
        delivery, the oldest first, has its event, status, URL, body and attempts. It has no
        durations, and no ids but those in the body.

        Raises:
            NotFound: there is no such product as the filter names.
            InvalidValue: the filter's glob matches no event name, or there is no such status.
        """
        return [reading.comparable(each) for each in reversed(self.list(which, limit=_MOST))]

    @overload
    def redeliver(
        self,
        /,
        *references: DeliveryRef,
        times: int = 1,
        deliver: bool = True,
        watcher: Watcher | None = None,
    ) -> Results[Delivery]: ...

    @overload
    def redeliver(
        self, job: Job, /, *, deliver: bool = True, watcher: Watcher | None = None
    ) -> Redelivered: ...

    @waits("leanbe.deliveries.redeliver()")
    async def redeliver(
        self, *references: Any, times: int = 1, deliver: bool = True, watcher: Watcher | None = None
    ) -> Results[Delivery] | Redelivered:
        """Deliver old events again: the same bytes, to the products' present URLs.

        Given a job, it delivers each of the job's events once, however often you start the job. A
        job that was interrupted continues when you run a job of the same name: first with the
        attempts that are missing.

        Args:
            references: deliveries whose events are delivered again, or one ``Job``.
            times: how often each event is delivered again, one round after the other.
            deliver: whether the first attempts are made at once; otherwise a worker makes them.
            watcher: gets a call for each attempt.

        Returns:
            The new deliveries; for a job, what it did.

        Raises:
            Conflict: a product has no URL now, a transaction is open, another process runs the
                same job, or the job of that name has another filter.
            NotFound: there is no such delivery or product.
            InvalidValue: a reference matches several deliveries, or the filter is refused.
        """
        if len(references) == 1 and isinstance(references[0], Job):
            return await self._redelivery.run(references[0], deliver=deliver, watcher=watcher)
        new = [
            each
            for _ in range(times)
            for each in await self._redelivery.again(references, deliver=deliver, watcher=watcher)
        ]
        return Results(self.of(new))

    def redeliver_dry_run(
        self, job: Job, *, limit: int = PAGE, after: str | None = None
    ) -> Page[Delivery]:
        """Return the deliveries whose events the job would deliver again, the oldest first.

        The job passes over deliveries whose product has no URL now, so they are not listed.

        Args:
            job: the job.
            limit: the most deliveries that are returned.
            after: the cursor of the page before.

        Raises:
            Conflict: the job of that name has another filter.
            NotFound: there is no such delivery or product.
            InvalidValue: a reference matches several deliveries, the filter is refused, ``limit``
                is 0, or ``after`` is no cursor.
        """
        planned = self._redelivery.planned(job, limit=limit, after=after)
        return Page(self.of(planned), cursor=planned.cursor)

    def redeliverable(self, job: Job) -> int:
        """Return how many deliveries ``redeliver_dry_run`` lists; it raises the same errors."""
        return self._redelivery.count(job)

    def discard(
        self, references: Iterable[DeliveryRef] = (), *, which: Filter | None = None
    ) -> Sequence[Delivery]:
        """Cancel pending deliveries, by reference or by filter; return the cancelled deliveries.

        A filter skips deliveries that are settled or in flight.

        Raises:
            NotFound: there is no such delivery, or no such product as the filter names.
            Conflict: a referenced delivery is settled or in flight; then none is cancelled.
            InvalidValue: a reference matches several deliveries, or the filter is refused.
        """
        return self.of(self._cancel(tuple(references), which))

    @one_transaction
    def _cancel(self, references: Sequence[DeliveryRef], which: Filter | None) -> Sequence[str]:
        with self._transactions.acting() as action:
            session = action.session
            ids = [lookup.delivery(session, reference).id for reference in references]
            cancelled = cancel_named(session, ids) if ids else []
            if which is not None:
                found = selected(session, which, DeliveryRow.id)
                cancelled += cancel(session, DeliveryRow.id.in_(found))
            return cancelled

    def discard_dry_run(
        self,
        references: Iterable[DeliveryRef] = (),
        *,
        which: Filter | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[Delivery]:
        """Return the deliveries that ``discard`` would cancel, the newest first.

        Args:
            references: deliveries to cancel.
            which: a filter of further deliveries.
            limit: the most deliveries that are returned.
            after: the cursor of the page before.

        Raises:
            NotFound, Conflict, InvalidValue: as with ``discard`` and ``list``.
        """
        check_limit(limit)
        with self._transactions.looking() as session:
            found = discardable(session, tuple(references), which)
            ids = newest_ids(session, found, DeliveryRow.created_at, limit=limit + 1, after=after)
            page = self._snapshots(session, ids[:limit])
        is_more = len(ids) > limit and len(page) > 0
        return Page(page, cursor=cursor_of(page[-1].created_at, page[-1].id) if is_more else None)

    def discardable(
        self, which: Filter | None = None, *, references: Iterable[DeliveryRef] = ()
    ) -> int:
        """Return how many deliveries ``discard`` would cancel now.

        Raises:
            NotFound, Conflict, InvalidValue: as with ``discard``.
        """
        with self._transactions.looking() as session:
            found = discardable(session, tuple(references), which)
            return session.scalars(found.with_only_columns(func.count(DeliveryRow.id))).one()

    def _firsts(self, session: Session, product_ids: Collection[str]) -> Mapping[str, Delivery]:
        """Return, for each product with strict ordering, the delivery that must end first."""
        holders = holders_of(session, strict_among(session, product_ids))
        return {
            each.event.product_id: each for each in self._snapshots(session, [*holders.values()])
        }

    def _snapshots(
        self, session: Session, wanted: Sequence[str], of_events: Sequence[Event] | None = None
    ) -> Sequence[Delivery]:
        return reading.snapshots(session, wanted, of_events, actions=self)


def _read_rows(session: Session, delivery_ids: Sequence[str]) -> "Sequence[RowOfDelivery]":
    # Only a page reads rows; a program that does not starts without their statement.
    from leanbe_emitter.library.deliveries.list_rows import read_rows  # noqa: PLC0415

    return read_rows(session, delivery_ids)
