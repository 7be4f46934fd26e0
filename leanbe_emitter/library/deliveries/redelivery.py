"""Jobs that deliver many old events again: broken off and started again, none is made twice.

A job is a name. Each event that it owes again is on record under that name in the transaction that
owes it, and once only; who runs the job again goes on behind what is on record. So the new
deliveries of a job never match its own filter, either. With an event stands what the job was asked
for: under its name, nothing else is.

A job that is started again first makes the missing attempts of its own deliveries. It owes none of
its events a second time, and none of its own deliveries either.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, exists, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.delivery.worker.watcher import Watcher
from leanbe_emitter.domain import named_products, webhooks
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.texts import LONGEST_NAME, check_text
from leanbe_emitter.errors import Conflict, NotFound
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.deliveries.attempts import Attempts
from leanbe_emitter.library.deliveries.delivery import DeliveryRef
from leanbe_emitter.library.deliveries.filter import Filter, selected
from leanbe_emitter.library.runtime.paging import PAGE, Page, check_limit, cursor_of, oldest
from leanbe_emitter.library.runtime.references import delivery_row, product_row
from leanbe_emitter.library.runtime.results import Itself
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.outbox import Lease, redeliver
from leanbe_emitter.storage.schema.states import DUE, DeliveryState
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow, RedeliveryRow, WebhookRow

#: How many deliveries one transaction owes again, before their first attempts are made.
BATCH = 50

#: The products that have a URL.
_WITH_URL: Final = select(WebhookRow.product_id).where(WebhookRow.url.is_not(None))


@dataclass(frozen=True, kw_only=True)
class Redelivered(Itself):
    """What a run of a job came to.

    Attributes:
        made: how many new deliveries it made.
        without_url: how many it passed over, because their product has no URL now.
        still_owed: how many deliveries of the job no attempt has ended of, and are owed: what
            another process has in flight, and what is left to workers.
    """

    made: int = 0
    without_url: int = 0
    still_owed: int = 0


@dataclass(frozen=True, kw_only=True)
class Job:
    """Which deliveries' events are owed again, and under which name that is on record.

    Attributes:
        name: a text of at most 200 characters; the same name goes on with the same job, whose
            filter has to be the same. Of an age, only whether there is one is compared: it is
            another instant each time.
        references: deliveries by name.
        which: deliveries by filter; None for none but those that are named.
    """

    name: str
    references: Sequence[DeliveryRef] = ()
    which: Filter | None = None


class Redelivery:
    """Delivers old events again: those of named deliveries, or those of a job."""

    def __init__(self, transactions: Transactions, attempts: Attempts, *, ids: Ids) -> None:
        self._transactions = transactions
        self._attempts = attempts
        self._ids = ids

    async def again(
        self, references: Sequence[DeliveryRef], *, deliver: bool, watcher: Watcher
    ) -> Sequence[str]:
        """Record a new delivery for the event of each old one; return the new deliveries' ids.

        Raises:
            Conflict: a product has no URL now, or attempts cannot be made here.
            NotFound: there is no such delivery.
        """
        lease = self._attempts.new_lease(deliver=deliver)
        with self._transactions.acting() as action:
            session = action.session
            old = [delivery_row(session, reference) for reference in references]
            # In the order of their ids, as outbox.record locks them.
            for product_id in sorted({each.product_id for each in old}):
                _require_url(action, product_id)
            events = [_unpruned(session, each.event_id) for each in old]
            new = [
                redeliver(session, event, now=action.now, ids=self._ids, lease=lease)
                for event in events
            ]
        await self._attempts.make_first(new, lease=lease, watcher=watcher)
        return new

    def planned(self, job: Job, *, limit: int = PAGE, after: str | None = None) -> Page[str]:
        """Return the ids of deliveries whose events a run would owe again, the oldest first.

        Of each event the first delivery; those whose product has no URL now are not among them.

        Args:
            job: which.
            limit: how many at the most.
            after: the cursor of the page before.

        Raises:
            Conflict: the job of that name has another filter.
            NotFound: there is no such delivery or product.
            InvalidValue: a reference names several, the filter is refused, ``limit`` is 0, or
                ``after`` is no cursor.
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
            page = oldest(found, at, identifier, limit=limit + 1, after=after)
            rows = session.execute(page).all()
        cursor = cursor_of(*rows[limit - 1]) if len(rows) > limit else None
        return Page([row.id for row in rows[:limit]], cursor=cursor)

    async def run(self, job: Job, *, deliver: bool, watcher: Watcher) -> Redelivered:
        """Owe the events again, batch by batch, in the order of ids; make the first attempts.

        Those come first that a run before was broken off before; in the end, those that strict
        ordering had held back.

        Raises:
            Conflict: another process runs the same job right now, or it has another filter.
            NotFound: there is no such delivery or product.
            InvalidValue: a reference names several, or the filter is refused.
        """
        with self._transactions.looking() as session:
            _left(session, job)  # what is refused is refused before any attempt
        await self._catch_up(job, deliver=deliver, watcher=watcher)
        made, without_url = await self._enqueue_all(job, deliver=deliver, watcher=watcher)
        await self._catch_up(job, deliver=deliver, watcher=watcher)
        with self._transactions.looking() as session:
            owed = session.scalar(select(func.count()).select_from(_unattempted(job).subquery()))
        return Redelivered(made=made, without_url=without_url, still_owed=owed or 0)

    async def _catch_up(self, job: Job, *, deliver: bool, watcher: Watcher) -> None:
        """Make the first attempts that are missing of what is on record."""
        if deliver:
            with self._transactions.looking() as session:
                order = (DeliveryRow.product_id, DeliveryRow.sequence, DeliveryRow.id)
                missing = session.scalars(_unattempted(job).order_by(*order)).all()
            await self._attempts.make_due(missing, watcher=watcher)

    async def _enqueue_all(self, job: Job, *, deliver: bool, watcher: Watcher) -> tuple[int, int]:
        """Return how many deliveries were made, and how many events were passed over."""
        after, made, without_url = "", 0, 0
        while True:
            lease = self._attempts.new_lease(deliver=deliver)
            with _alone(job), self._transactions.acting() as action:
                page = _page(action.session, job, after)
                if not page:
                    return made, without_url
                owed = _once(page)
                new = _enqueue(action, job, owed, lease=lease)
            await self._attempts.make_first(new, lease=lease, watcher=watcher)
            after, made = page[-1].id, made + len(new)
            without_url += len(owed) - len(new)


@contextmanager
def _alone(job: Job) -> Iterator[None]:
    """Turn the database's word that an event is on record already into ours."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(
            f"The job {job.name!r} is being run by another process.",
            hint="Let it finish; started again, a job goes on where it ended.",
        ) from error


def _unattempted(job: Job) -> Select[Any]:
    """Return the statement that finds a job's deliveries that are owed and not attempted yet.

    Not attempted is also what is in flight for the first time.
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
    """Return the next deliveries of a job whose events it has not owed again yet."""
    left = _left(session, job).where(DeliveryRow.id > after)
    return session.execute(left.order_by(DeliveryRow.id).limit(BATCH)).all()


def _left(session: Session, job: Job) -> Select[Any]:
    """Return the statement that finds them all."""
    check_text(job.name, what="job's name", longest=LONGEST_NAME)
    wanted = _wanted(session, job)
    _require_same(session, job)
    is_done = exists().where(
        RedeliveryRow.job == job.name, RedeliveryRow.event_id == DeliveryRow.event_id
    )
    return wanted.where(~is_done)


def _require_same(session: Session, job: Job) -> None:
    """Refuse another filter than the job's: what it owed again would be passed over by it, too."""
    on_record = select(RedeliveryRow.asked).where(
        RedeliveryRow.job == job.name, RedeliveryRow.asked.is_not(None)
    )
    had, asked = session.scalar(on_record.limit(1)), _asked(session, job)
    if had is not None and had != asked:
        raise Conflict(
            f"The job {job.name!r} redelivers: {had}. This asks for: {asked}.",
            hint="Ask for the same to go on with it, or give the job another name.",
        )


def _asked(session: Session, job: Job) -> str:
    """Return what a job is asked for, in words that are the same for the same filter."""
    said = ["by id"] if job.references or job.which is None else []
    if job.which is not None:
        said += (f"{name} {value}" for name, value in _compared(session, job.which).items())
    return ", ".join(said) or "all"


def _compared(session: Session, which: Filter) -> dict[str, object]:
    product_id = None if which.product is None else product_row(session, which.product).id
    given = {"status": which.status, "event": which.event, "product": product_id}
    if which.is_settled is not None:
        given["settled"] = str(which.is_settled).lower()
    # Only that there is one: an age is another instant each time.
    ages = {"since": which.since, "before": which.before}
    given.update({name: "an instant" for name, at in ages.items() if at is not None})
    return {name: value for name, value in given.items() if value is not None}


def _wanted(session: Session, job: Job) -> Select[Any]:
    columns: tuple[Any, ...] = (DeliveryRow.id, DeliveryRow.event_id, DeliveryRow.product_id)
    named = DeliveryRow.id.in_([delivery_row(session, each).id for each in job.references])
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
    for product_id in sorted(product_ids):  # all who lock several do so in this order
        action.lock(named_products.get(session, product_id))
    with_url = _with_url(session, product_ids)
    wanted = [row.event_id for row in rows if row.product_id in with_url]
    # The lock keeps retention from taking an event away before its new delivery is there.
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
        asked = _asked(session, job)
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
    product = named_products.get(action.session, product_id)
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
