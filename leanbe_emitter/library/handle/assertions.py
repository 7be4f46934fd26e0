"""The assertions of ``leanbe.assert_delivered`` and its like.

A failed assertion says what happened instead. No assertion passes by accident: an unknown event
name is an error, and so is an assertion while a recorded event is still due.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import exists, select

from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.domain import lookup
from leanbe_emitter.errors import EventsNotDelivered, InvalidValue, check_type
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.delivery import Delivery, Event
from leanbe_emitter.library.deliveries.delivery_filter import Filter
from leanbe_emitter.library.deliveries.delivery_report import DeliveryReport, Expected, line_of
from leanbe_emitter.library.deliveries.journal import Journal
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.storage.schema.states import DeliveryStatus, JournalKind, Outcome
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow
from leanbe_emitter.wire.event_names import matches, matching
from leanbe_emitter.wire.faults.catalogue import FaultSpec

_ALL = 1_000_000
_MOST_SHOWN = 5


class Assertions:
    """Checks what receivers accepted and refused.

    Args:
        is_anything_due: says whether a recorded event is still due.
    """

    def __init__(
        self,
        transactions: Transactions,
        deliveries: Deliveries,
        journal: Journal,
        *,
        is_anything_due: Callable[[], bool],
    ) -> None:
        self._transactions = transactions
        self._deliveries = deliveries
        self._journal = journal
        self._is_anything_due = is_anything_due

    def delivered(
        self, event: str, *, times: int | None, payload: Any, product: ProductRef | None
    ) -> list[Delivery]:
        """Do what ``Leanbe.assert_delivered`` says."""
        __tracebackhide__ = True
        expected, report = self._expectation(event, payload, times, product)
        found = report.that(expected, _is_delivered)
        if not _is_count(len(found), times):
            raise AssertionError(_failure(expected, "delivered", found, times, report))
        return found

    def not_delivered(self, event: str, *, payload: Any, product: ProductRef | None) -> None:
        """Do what ``Leanbe.refute_delivered`` says."""
        __tracebackhide__ = True
        expected, report = self._expectation(event, payload, None, product)
        found = report.that(expected, _may_have_arrived)
        if found:
            raise AssertionError(
                f"{expected} was delivered {_times(len(found))}, and was not to be.\n"
                f"{report.these(found)}"
            )

    def refused(
        self,
        event: str,
        *,
        status: int | None,
        times: int | None,
        payload: Any,
        product: ProductRef | None,
    ) -> list[Delivery]:
        """Do what ``Leanbe.assert_refused`` says."""
        __tracebackhide__ = True
        expected, report = self._expectation(event, payload, times, product)
        found = report.that(expected, lambda each: _is_refused(each, status))
        if not _is_count(len(found), times):
            what = "refused" if status is None else f"refused with {status}"
            raise AssertionError(_failure(expected, what, found, times, report))
        return found

    def in_order(self, events: Sequence[str], *, product: ProductRef | None) -> None:
        """Do what ``Leanbe.assert_order`` says."""
        __tracebackhide__ = True
        if isinstance(events, str) or len(events) < 2:  # noqa: PLR2004 - an order has two sides
            raise InvalidValue(
                f"{events!r} has no order.", hint="Name two events or more: ['idea.created', ...]."
            )
        for each in events:
            matching(each)
        self._require_nothing_due()
        came = self._arrivals(product)
        missing = _first_missing(events, came)
        if missing is not None:
            raise AssertionError(_out_of_order(events, missing, came))

    def _expectation(
        self, event: str, payload: Any, times: int | None, product: ProductRef | None
    ) -> tuple[Expected, DeliveryReport]:
        matching(event)
        if times is not None:
            check_type(times, int, what="times", words="a whole number")
        if times is not None and times < 1:
            raise InvalidValue(
                f"Nothing can be delivered {times} times.",
                hint=f"refute_delivered({event!r}) asserts that it was not delivered.",
            )
        self._require_nothing_due()
        return Expected(event=event, payload=payload), self._report(product)

    def _require_nothing_due(self) -> None:
        if not self._is_anything_due():
            return
        now = self._transactions.clock.now()
        pending = self._deliveries.list(Filter(status=DeliveryStatus.PENDING), limit=_ALL)
        due = [each for each in pending if each.next_due_at and each.next_due_at <= now]
        names = list(dict.fromkeys(each.event.name for each in reversed(due)))
        more = ", ..." if len(names) > _MOST_SHOWN else ""
        raise EventsNotDelivered(
            f"{len(due)} recorded {'event is' if len(due) == 1 else 'events are'} still due: "
            f"{', '.join(names[:_MOST_SHOWN])}{more}.",
            hint="Call leanbe.deliver() before you assert.",
        )

    def _report(self, product: ProductRef | None) -> DeliveryReport:
        deliveries = self._deliveries.list(Filter(product=product), limit=_ALL)
        statement = select(EventRow).where(~exists().where(DeliveryRow.event_id == EventRow.id))
        with self._transactions.looking() as session:
            if product is not None:
                statement = statement.where(
                    EventRow.product_id == lookup.product(session, product).id
                )
            undelivered = [
                Event.of(row) for row in session.scalars(statement.order_by(EventRow.id))
            ]
        return DeliveryReport(deliveries=deliveries[::-1], undelivered=undelivered)

    def _arrivals(self, product: ProductRef | None) -> list[Delivery]:
        """Return the accepted deliveries, in the order of acceptance."""
        with self._transactions.looking() as session:
            product_id = None if product is None else lookup.product(session, product).id
        return [
            entry.delivery
            for entry in self._journal.read_all()
            if entry.kind is JournalKind.ATTEMPT
            and entry.delivery is not None
            and entry.attempt is not None
            and entry.attempt.outcome is Outcome.DELIVERED
            and product_id in {None, entry.event.product_id}
        ]


def _is_delivered(delivery: Delivery) -> bool:
    return delivery.delivered


def _may_have_arrived(delivery: Delivery) -> bool:
    arrived = {Outcome.DELIVERED, Outcome.UNKNOWN}
    return any(each.outcome in arrived and not _spared_receiver(each) for each in delivery.attempts)


def _spared_receiver(attempt: Attempt) -> bool:
    """Return whether a fault kept the receiver from being called."""
    return attempt.fault is not None and FaultSpec.from_text(attempt.fault).hides_from_receiver


def _is_refused(delivery: Delivery, status: int | None) -> bool:
    if delivery.outcome is not Outcome.REFUSED:
        return False
    return status in {None, delivery.attempts[-1].answer_status}


def _is_count(count: int, times: int | None) -> bool:
    return count > 0 if times is None else count == times


def _failure(
    expected: Expected,
    what: str,
    found: Sequence[Delivery],
    times: int | None,
    report: DeliveryReport,
) -> str:
    if not found:
        return f"{expected} was not {what}.\n{report.instead(expected)}"
    return (
        f"{expected} was {what} {_times(len(found))}, and not {_times(times or 1)}.\n"
        f"{report.these(found)}"
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _first_missing(events: Sequence[str], came: Sequence[Delivery]) -> int | None:
    """Return the index of the first event that did not come after those before it."""
    position = 0
    for index, event in enumerate(events):
        rest = range(position, len(came))
        found = next((each for each in rest if matches(came[each].event.name, event)), None)
        if found is None:
            return index
        position = found + 1
    return None


def _out_of_order(events: Sequence[str], missing: int, came: Sequence[Delivery]) -> str:
    event = events[missing]
    is_there = any(matches(each.event.name, event) for each in came)
    after = f"after {', '.join(events[:missing])}" if missing else "at all"
    why = f"{event} was not delivered {after if is_there else 'at all'}"
    order = "\n".join(map(line_of, came)) or "  nothing"
    return f"{why}.\nDelivered, in this order:\n{order}"
