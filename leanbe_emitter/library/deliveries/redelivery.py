"""Redelivery of old events. A job that is interrupted and started again makes none twice.

A job is identified by its name. The transaction that records a new delivery also records the event
under the job's name, once only. A job that runs again continues after the recorded events, so the
new deliveries of a job never match its own filter. The job's filter is recorded with each event,
and another filter under the same name is refused.

A job that runs again first makes the missing attempts of its own deliveries. It never redelivers
one of its events twice, or one of its own deliveries.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, distinct, exists, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.delivery.watching import Watcher
from leanbe_emitter.domain import lookup, webhooks
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.validation import LONGEST_NAME, check_text
from leanbe_emitter.errors import Conflict, NotFound
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.library.deliveries.delivery import DeliveryRef
from leanbe_emitter.library.deliveries.delivery_filter import Filter, selected
from leanbe_emitter.library.runtime.awaitables import Itself
from leanbe_emitter.library.runtime.delivery_engine import Engine
from leanbe_emitter.library.runtime.paging import PAGE, Page, check_limit, cursor_of, oldest
from leanbe_emitter.library.runtime.transactions import Transactions, one_transaction
from leanbe_emitter.outbox import Lease, redeliver
from leanbe_emitter.storage.schema.states import DUE, DeliveryState
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow, RedeliveryRow, WebhookRow

#: How many new deliveries one transaction records before their first attempts are made.
BATCH = 50

#: The filters that a job compares as they are.
_EVIDENCE: Final = ("q", "about", "outcome", "answer", "fault", "job")
#: The products that have a URL.
_WITH_URL: Final = select(WebhookRow.product_id).where(WebhookRow.url.is_not(None))


@dataclass(frozen=True, kw_only=True)
class Redelivered(Itself):
    """The result of a run of a job.

    Attributes:
        made: the number of new deliveries.
        without_url: the number of skipped deliveries, because their product has no URL now.
        still_pending: the number of the job's pending deliveries without a finished attempt:
            another process has them in flight, or they are left to workers.
    """

    made: int = 0
    without_url: int = 0
    still_pending: int = 0


@dataclass(frozen=True, kw_only=True)
class Job:
    """A named selection of deliveries whose events are delivered again.

    Attributes:
        name: a text of at most 200 characters. The same name continues the same job, and the
            filter must be the same. ``since`` and ``before`` may be other instants each time, but
            must be given again.
        references: deliveries, or ids of deliveries.
        which: a filter of further deliveries; None: only ``references``.
    """

    name: str
    references: Sequence[DeliveryRef] = ()
    which: Filter | None = None


class Redelivery:
    """Delivers old events again: those of named deliveries, or those of a job."""

    def __init__(self, transactions: Transactions, engine: Engine) -> None:
        self._transactions = transactions
        self._engine = engine

    async def again(
        self, references: Sequence[DeliveryRef], *, deliver: bool, watcher: Watcher | None
    ) -> Sequence[str]:
        """Record a new delivery for the event of each old one; return the new deliveries' ids.

        Raises:
            Conflict: a product has no URL now, or attempts cannot be made here.
            NotFound: there is no such delivery.
        """
        lease = self._engine.new_lease() if deliver else None
        new = self._record_again(references, lease)
        await self._engine.attempt(new, lease=lease, watcher=watcher)
        return new

    @one_transaction
    def _record_again(
        self, references: Sequence[DeliveryRef], lease: Lease | None
    ) -> Sequence[str]:
        with self._transactions.acting() as action:
            session = action.session
            old = [lookup.delivery(session, reference) for reference in references]
            # In the order of their ids, as outbox.record locks them.
            for product_id in sorted({each.product_id for each in old}):
                _require_url(action, product_id)
            events = [_unpruned(session, each.event_id) for each in old]
            return [
                redeliver(session, event, now=action.now, ids=action.ids, lease=lease)
                for event in events
            ]

    def planned(self, job: Job, *, limit: int = PAGE, after: str | None = None) -> Page[str]:
        """Return the ids of deliveries whose events a run would deliver again, the oldest first.

        The result has the first delivery of each event, and only products that have a URL now.

        Args:
            job: the job.
            limit: the most ids that are returned.
            after: the cursor of the page before.

        Raises:
            Conflict: the job of that name has another filter.
            NotFound: there is no such delivery or product.
            InvalidValue: a reference matches several deliveries, the filter is refused, ``limit``
                is 0, or ``after`` is no cursor.
        """
        check_limit(limit)
        at, identifier = DeliveryRow.created_at, DeliveryRow.id
        with self._transactions.looking() as session:
            first = (
                _left(session, job)
                .where(DeliveryRow.product_id.in_(_WITH_URL))
                .with_only_columns(func.min(identifier))
                .group_by(DeliveryRow.event_id)
                .correlate(None)
            )
            found = select(at, identifier).where(identifier.in_(first))
            page = oldest(found, at, limit=limit + 1, after=after)
            rows = session.execute(page).all()
        cursor = cursor_of(*rows[limit - 1]) if len(rows) > limit else None
        return Page([row.id for row in rows[:limit]], cursor=cursor)

    def count(self, job: Job) -> int:
        """Return how many ids ``planned`` has on all of its pages; it raises the same errors."""
        with self._transactions.looking() as session:
            left = _left(session, job).where(DeliveryRow.product_id.in_(_WITH_URL))
            events = left.with_only_columns(func.count(distinct(DeliveryRow.event_id)))
            return session.scalars(events).one()

    async def run(self, job: Job, *, deliver: bool, watcher: Watcher | None) -> Redelivered:
        """Record new deliveries in batches, in the order of ids, and make their first attempts.

        The run begins with missing attempts of an interrupted run. It ends with the attempts that
        strict ordering held back.

        Raises:
            Conflict: another process runs the same job, or the job has another filter.
            NotFound: there is no such delivery or product.
            InvalidValue: a reference matches several deliveries, or the filter is refused.
        """
        with self._transactions.looking() as session:
            _left(session, job)  # a refusal comes before any attempt
        await self._catch_up(job, deliver=deliver, watcher=watcher)
        made, without_url = await self._enqueue_all(job, deliver=deliver, watcher=watcher)
        await self._catch_up(job, deliver=deliver, watcher=watcher)
        with self._transactions.looking() as session:
            pending = session.scalar(select(func.count()).select_from(_unattempted(job).subquery()))
        return Redelivered(made=made, without_url=without_url, still_pending=pending or 0)

    async def _catch_up(self, job: Job, *, deliver: bool, watcher: Watcher | None) -> None:
        """Make the missing first attempts of the job's recorded deliveries."""
        if deliver:
            with self._transactions.looking() as session:
                order = (DeliveryRow.product_id, DeliveryRow.sequence, DeliveryRow.id)
                missing = session.scalars(_unattempted(job).order_by(*order)).all()
            await self._engine.attempt_due(missing, watcher=watcher)

    async def _enqueue_all(
        self, job: Job, *, deliver: bool, watcher: Watcher | None
    ) -> tuple[int, int]:
        """Return how many deliveries were recorded, and how many events were skipped."""
        after, made, without_url = "", 0, 0
        while True:
            lease = self._engine.new_lease() if deliver else None
            page, wanted, new = self._enqueue_page(job, after, lease)
            if not page:
                return made, without_url
            await self._engine.attempt(new, lease=lease, watcher=watcher)
            after, made = page[-1].id, made + len(new)
            without_url += len(wanted) - len(new)

    @one_transaction
    def _enqueue_page(
        self, job: Job, after: str, lease: Lease | None
    ) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]], list[str]]:
        """Return the next deliveries, the first one of each event, and the new deliveries."""
        with _running_once(job), self._transactions.acting() as action:
            page = _page(action.session, job, after)
            wanted = _once(page)
            return page, wanted, _enqueue(action, job, wanted, lease=lease) if page else []


@contextmanager
def _running_once(job: Job) -> Iterator[None]:
    """Turn the database's error about an event that is recorded already into a ``Conflict``."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(
            f"Another process is running the job {job.name!r}.",
            hint="Let it finish. A job that is started again continues where it ended.",
        ) from error


def _unattempted(job: Job) -> Select[Any]:
    """Return the statement that finds a job's pending deliveries without a finished attempt.

    A delivery whose first attempt is in flight is one of them.
    """
    return (
        select(DeliveryRow.id)
        .join(RedeliveryRow, RedeliveryRow.delivery_id == DeliveryRow.id)
        .where(
            RedeliveryRow.job == job.name,
            DeliveryRow.state.in_((*DUE, DeliveryState.IN_FLIGHT)),
            DeliveryRow.attempts_counted == 0,
        )
    )


def _page(session: Session, job: Job, after: str) -> Sequence[Row[Any]]:
    """Return the next deliveries of a job whose events it has not delivered again yet."""
    left = _left(session, job).where(DeliveryRow.id > after)
    return session.execute(left.order_by(DeliveryRow.id).limit(BATCH)).all()


def _left(session: Session, job: Job) -> Select[Any]:
    """Return the statement that finds all deliveries that are left of a job."""
    check_text(job.name, what="job's name", longest=LONGEST_NAME)
    wanted = _wanted(session, job)
    _require_same(session, job)
    is_done = exists().where(
        RedeliveryRow.job == job.name, RedeliveryRow.event_id == DeliveryRow.event_id
    )
    return wanted.where(~is_done)


def _require_same(session: Session, job: Job) -> None:
    """Refuse another filter than the job's: the job would skip events that it delivered before."""
    on_record = select(RedeliveryRow.asked).where(
        RedeliveryRow.job == job.name, RedeliveryRow.asked.is_not(None)
    )
    had, asked = session.scalar(on_record.limit(1)), _selection(session, job)
    if had is not None and had != asked:
        raise Conflict(
            f"The job {job.name!r} redelivers: {had}. This asks for: {asked}.",
            hint="Ask for the same to go on with it, or give the job another name.",
        )


def _selection(session: Session, job: Job) -> str:
    """Return a job's selection in words; the same filter gives the same words."""
    said = ["by id"] if job.references or job.which is None else []
    if job.which is not None:
        said += (f"{name} {value}" for name, value in _compared(session, job.which).items())
    return ", ".join(said) or "all"


def _compared(session: Session, which: Filter) -> dict[str, object]:
    product_id = None if which.product is None else lookup.product(session, which.product).id
    given: dict[str, object] = {
        "status": which.status,
        "event": which.event,
        "product": product_id,
        **{name: getattr(which, name) for name in _EVIDENCE},
    }
    if which.is_settled is not None:
        given["settled"] = str(which.is_settled).lower()
    # Only the presence is compared: an age is another instant each time.
    ages = {"since": which.since, "before": which.before}
    given.update({name: "an instant" for name, at in ages.items() if at is not None})
    return {name: value for name, value in given.items() if value is not None}


def _wanted(session: Session, job: Job) -> Select[Any]:
    columns: tuple[Any, ...] = (DeliveryRow.id, DeliveryRow.event_id, DeliveryRow.product_id)
    named = DeliveryRow.id.in_([lookup.delivery(session, each).id for each in job.references])
    if job.which is None:
        return select(*columns).where(named)
    if not job.references:
        return selected(session, job.which).with_only_columns(*columns)
    by_filter = selected(session, job.which).with_only_columns(DeliveryRow.id)
    return select(*columns).where(or_(named, DeliveryRow.id.in_(by_filter)))


def _once(page: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Return the first delivery of each event."""
    first: dict[str, Row[Any]] = {}
    for row in page:
        first.setdefault(row.event_id, row)
    return list(first.values())


def _enqueue(
    action: Action, job: Job, rows: Sequence[Row[Any]], *, lease: Lease | None
) -> list[str]:
    session = action.session
    product_ids = {row.product_id for row in rows}
    for product_id in sorted(product_ids):  # every caller locks products in this order
        action.lock(lookup.product(session, product_id))
    with_url = _with_url(session, product_ids)
    wanted = [row.event_id for row in rows if row.product_id in with_url]
    # The lock keeps retention from deleting an event before its new delivery is recorded.
    events = session.scalars(
        select(EventRow)
        .where(EventRow.id.in_(wanted))
        .order_by(EventRow.product_id, EventRow.sequence)
        .with_for_update(read=True, key_share=True)
    ).all()
    new = {
        event.id: redeliver(session, event, now=action.now, ids=action.ids, lease=lease)
        for event in events
    }
    if new:
        asked = _selection(session, job)
        entries = [_entry(action, job, *each, asked=asked) for each in new.items()]
        session.execute(insert(RedeliveryRow), entries)
    return list(new.values())


def _with_url(session: Session, product_ids: set[str]) -> set[str]:
    """Return those of the products that have a URL."""
    return set(session.scalars(_WITH_URL.where(WebhookRow.product_id.in_(product_ids))))


def _entry(
    action: Action, job: Job, event_id: str, delivery_id: str, *, asked: str
) -> dict[str, Any]:
    return {
        "job": job.name,
        "event_id": event_id,
        "delivery_id": delivery_id,
        "created_at": to_milliseconds(action.now),
        "asked": asked,
    }


def _require_url(action: Action, product_id: str) -> None:
    product = lookup.product(action.session, product_id)
    action.lock(product)
    if webhooks.get(action.session, product).url is None:
        raise Conflict(
            f"The product {product.name!r} has no webhook URL.",
            hint=SET_WEBHOOK.between("Set one first: ", "."),
        )


def _unpruned(session: Session, event_id: str) -> EventRow:
    """Return an event, and keep it from being pruned until the transaction ends."""
    lock = {"read": True, "key_share": True}
    row = session.get(EventRow, event_id, with_for_update=lock, populate_existing=True)
    if row is None:
        raise NotFound("The event of that delivery was pruned just now.")
    return row
