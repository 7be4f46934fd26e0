"""Waiting for deliveries: by polling the database, and why a delivery is still pending.

With a cursor, only deliveries count that were recorded, attempted or settled after it, as the
journal says. The journal is in the order of commits, so no delivery is missed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import MANUAL, Clock, SystemClock, from_milliseconds
from leanbe_emitter.domain import lookup
from leanbe_emitter.hints import Hint
from leanbe_emitter.library.deliveries import reading
from leanbe_emitter.library.deliveries.delivery import Delivery
from leanbe_emitter.library.deliveries.delivery_filter import Filter
from leanbe_emitter.library.deliveries.delivery_report import line_of
from leanbe_emitter.library.runtime.paging import check_limit
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.storage.queries.stored_clock import kind_of, stands_still
from leanbe_emitter.storage.schema.tables import DeliveryRow, WebhookRow
from leanbe_emitter.wire.durations import format_duration
from leanbe_emitter.wire.instants import print_instant


class DeliveryWait:
    """Polls for deliveries that a caller waits for.

    Args:
        transactions: read the database.
        which: the deliveries to wait for; a filter without a status selects settled ones.
        count: how many deliveries to wait for.
        after: a cursor; only deliveries with journal entries after it count. None: all count.

    Raises:
        InvalidValue: ``count`` is less than 1.
    """

    def __init__(
        self, transactions: Transactions, which: Filter, *, count: int, after: Cursor | None
    ) -> None:
        check_limit(count)
        if which.status is None and which.is_settled is None:
            which = replace(which, is_settled=True)
        self._transactions = transactions
        self._which = which
        self._count = count
        self._after = after
        self._since = set[str]()
        self.found: Sequence[str] = ()

    def look(self) -> bool:
        """Set ``found`` to the ids so far, newest first; return whether all have come.

        Raises:
            NotFound: there is no such product as the filter names.
            InvalidValue: the filter is refused.
        """
        if self._after is not None:
            self._after = self._read_journal(self._after)
        with self._transactions.looking() as session:
            if self._after is None:
                self.found = reading.newest_ids(session, self._which, limit=self._count)
            else:
                self.found = reading.among(session, self._since, self._which)[: self._count]
        return len(self.found) >= self._count

    def _read_journal(self, after: Cursor) -> Cursor:
        """Note the deliveries with journal entries after a cursor; return the last cursor."""
        while True:
            with self._transactions.looking() as session:
                entries = journal.read(session, after)
            if not entries:
                return after
            self._since.update(each.delivery_id for each in entries if each.delivery_id)
            after = entries[-1].cursor

    def __str__(self) -> str:
        return f"{len(self.found)} of {self._count} deliveries came"


@dataclass(frozen=True, kw_only=True)
class PendingReason:
    """The reason why no more deliveries have come.

    Attributes:
        words: a sentence or two, in the words of the caller's surface.
        delivery: the delivery that the reason is about; None if it is about none.
    """

    words: Hint
    delivery: Delivery | None = None


@dataclass(frozen=True, kw_only=True)
class PendingDelivery:
    """A pending delivery.

    Attributes:
        delivery: the delivery.
        first: the delivery that must end before this one may begin (``ordering = strict``); if
            there is none, the delivery itself.
    """

    delivery: Delivery
    first: Delivery

    @property
    def is_held(self) -> bool:
        """Whether another delivery must end first."""
        return self.first.id != self.delivery.id

    def is_later(self, now: datetime) -> bool:
        """Return whether it cannot begin before an instant that is later than ``now``."""
        return self.first.next_due_at is not None and self.first.next_due_at > now


def reason_pending(
    session: Session, pending: Sequence[PendingDelivery], *, clock: Clock
) -> PendingReason:
    """Explain what the nearest of at least one pending delivery waits for."""
    now = clock.now()
    nearest = min(pending, key=lambda each: _distance(each, now))
    first, due_at = nearest.first, nearest.first.next_due_at
    state = _in_flight(session, first, clock) if due_at is None else _due(first, due_at, now)
    words = Hint.same(f"{_line_of(nearest)}; {state}")
    if due_at is not None and due_at > now and kind_of(clock) == MANUAL:
        moving = advancing(due_at - now).between("The clock is manual: ", " moves it there.")
        words = words.then(moving)
    return PendingReason(words=words, delivery=first)


def reason_settled(delivery: Delivery) -> PendingReason:
    """Explain that a delivery is settled."""
    end = f"it is {delivery.status.value}, and no attempt is left."
    return PendingReason(words=Hint.same(f"{line_of(delivery).strip()}; {end}"), delivery=delivery)


def reason_none(session: Session, product: ProductRef | None) -> PendingReason:
    """Explain why no delivery is pending: for one product, or for any."""
    with_url, nobody = select(WebhookRow).where(WebhookRow.url.is_not(None)), "No product has a"
    if product is not None:
        row = lookup.product(session, product)
        with_url = with_url.where(WebhookRow.product_id == row.id)
        nobody = f"The product {row.name!r} has no"
    if session.scalar(with_url.limit(1)) is not None:
        return PendingReason(words=Hint.same("No such delivery is pending."))
    not_delivered = f"{nobody} webhook URL: its events are recorded, and not delivered."
    return PendingReason(words=Hint.same(not_delivered))


def _distance(pending: PendingDelivery, now: datetime) -> tuple[bool, bool, bool, bool]:
    """Return the distance of a delivery from its end; less is nearer.

    In flight is nearer than due, due than later, first than held back, attempted than new.
    """
    awaits_attempt = pending.first.next_due_at is not None
    return awaits_attempt, pending.is_later(now), pending.is_held, not pending.delivery.attempts


def _line_of(pending: PendingDelivery) -> str:
    line = line_of(pending.delivery).strip()
    if not pending.is_held:
        return line
    return f"{line}; before it comes (ordering = strict) {line_of(pending.first).strip()}"


def _in_flight(session: Session, delivery: Delivery, clock: Clock) -> str:
    """Tell until when an attempt is leased; its worker may have vanished meanwhile."""
    number = len(delivery.attempts) + 1
    row = session.get(DeliveryRow, delivery.id)
    if row is None or row.lease_until is None:
        return f"attempt {number} has ended by now."
    until = from_milliseconds(row.lease_until)
    at, by, now = print_instant(until), "", clock.now()
    if stands_still(clock):
        by, now = " by the machine's clock", SystemClock().now()
    if until <= now:
        return f"attempt {number} is lost, as its lease ended at {at}{by}: is a worker running?"
    return (
        f"attempt {number} is in flight; if its worker is gone, it is due again when its lease "
        f"ends, at {at}{by}."
    )


def _due(delivery: Delivery, due_at: datetime, now: datetime) -> str:
    number = len(delivery.attempts) + 1
    if due_at > now:
        at, present = print_instant(due_at), print_instant(now)
        return f"attempt {number} is due at {at}, and it is {present}."
    return "it is due: is a worker running?"


def advancing(gap: timedelta) -> Hint:
    """Return the hint how to move a manual clock this far, in whole seconds."""
    seconds = math.ceil(gap.total_seconds())
    return Hint(
        call=f"leanbe.clock.advance(seconds={seconds})",
        command=f"leanbe-emitter clock advance {format_duration(seconds)}",
        request=f'POST /api/v1/clock/advance {{"seconds": {seconds}}}',
    )
