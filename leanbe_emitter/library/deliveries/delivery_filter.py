"""Filters of deliveries, the statement that finds what one selects, and the number of them.

A filter's outcome, answer and fault are those of the last attempt, as a row shows them. ``q`` and
``about`` read bodies, so they look at the newest deliveries only.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from leanbe_emitter.clock import check_instant, to_milliseconds
from leanbe_emitter.domain import lookup
from leanbe_emitter.domain.validation import check_text
from leanbe_emitter.errors import InvalidValue, check_type
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.storage.schema.states import DeliveryState, DeliveryStatus, Outcome
from leanbe_emitter.storage.schema.tables import AttemptRow, DeliveryRow, EventRow, RedeliveryRow
from leanbe_emitter.wire.did_you_mean import any_of
from leanbe_emitter.wire.event_names import matching
from leanbe_emitter.wire.faults.catalogue import FaultSpec, fault_kind
from leanbe_emitter.wire.payloads.subject import beginnings


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter of deliveries. An attribute that is None selects every delivery.

    Attributes:
        status: the status of the deliveries.
        is_settled: whether the deliveries are settled, with whatever status.
        event: an event name, or a glob of names (``idea.*``).
        product: the product of the deliveries.
        since: the deliveries were created at this instant or later.
        before: the deliveries were created before this instant.
        q: a text in the request's body, or six digits or more of an end of the id of the delivery
            or the event; letter case does not matter. It is looked for in the newest 10 000
            deliveries.
        about: the ``_id`` of a document: the payload is that document. It is looked for in the
            newest 10 000 deliveries.
        outcome: the outcome of the last attempt.
        answer: the status of the last answer: ``503``, or ``4xx``.
        fault: a kind of fault of the last attempt, with its variant or without; ``any``: any fault.
        job: the name of the job that made the deliveries.
    """

    status: DeliveryStatus | str | None = None
    is_settled: bool | None = None
    event: str | None = None
    product: ProductRef | None = None
    since: datetime | None = None
    before: datetime | None = None
    q: str | None = None
    about: str | None = None
    outcome: Outcome | str | None = None
    answer: str | None = None
    fault: str | None = None
    job: str | None = None

    def __post_init__(self) -> None:
        for name, instant in (("since", self.since), ("before", self.before)):
            if instant is not None:
                check_instant(instant, what=name)


#: How many of the newest deliveries ``q`` and ``about`` look at.
MOST_SEARCHED: Final = 10_000
#: The longest text that is searched for.
_LONGEST: Final = 200
#: The value of ``fault`` that selects attempts with any fault.
ANY_FAULT: Final = "any"

_ANSWER: Final = re.compile("[1-5](xx|[0-9]{2})")
#: The beginning or the end of an id.
_PART_OF_ID: Final = re.compile("[0-9a-f]{6,24}")


@cache
def _last_number() -> ScalarSelect[int]:
    """Return the number of a delivery's last attempt, for a statement about deliveries."""
    later = aliased(AttemptRow)
    numbers = select(func.max(later.number)).where(later.delivery_id == DeliveryRow.id)
    return numbers.correlate(DeliveryRow).scalar_subquery()


@cache
def _oldest_searched() -> Select[str]:
    """Return the statement for the oldest delivery that is searched; no row if all are."""
    newest = select(DeliveryRow.id).order_by(DeliveryRow.id.desc())
    return newest.offset(MOST_SEARCHED - 1).limit(1).correlate(None)


def conditions(which: Filter) -> Iterator[ColumnElement[bool]]:
    """Yield a filter's conditions; if ``is_of_event``, they need the event's row.

    Raises:
        InvalidValue: there is no such outcome, answer or fault, or a text cannot be searched for.
    """
    of_attempt = list(_of_attempt(which))
    if of_attempt:
        is_last = and_(
            AttemptRow.delivery_id == DeliveryRow.id, AttemptRow.number == _last_number()
        )
        yield exists().where(is_last, *of_attempt).correlate(DeliveryRow)
    if which.job is not None:
        made = select(RedeliveryRow.delivery_id).where(RedeliveryRow.job == which.job)
        yield DeliveryRow.id.in_(made)
    if is_of_event(which):
        yield DeliveryRow.id >= func.coalesce(_oldest_searched().scalar_subquery(), "")
    if which.about is not None:
        yield or_(*(_begins(each) for each in beginnings(_text(which.about, "about"))))
    if which.q is not None:
        yield _has_text(which.q)


def is_of_event(which: Filter) -> bool:
    """Return whether a filter reads bodies, so that it looks at the newest deliveries only."""
    return which.q is not None or which.about is not None


def searched(session: Session, which: Filter) -> int | None:
    """Return how many of the newest deliveries a filter looks at; None: at all that there are."""
    if not is_of_event(which):
        return None
    if (oldest := session.scalar(_oldest_searched())) is None:
        return None
    older = select(DeliveryRow.id).where(DeliveryRow.id < oldest).limit(1)
    return None if session.scalar(older) is None else MOST_SEARCHED


def _of_attempt(which: Filter) -> Iterator[ColumnElement[bool]]:
    if which.outcome is not None:
        yield AttemptRow.outcome == _outcome(which.outcome)
    if which.answer is not None:
        yield _answered(which.answer)
    if which.fault is not None:
        yield _had_fault(which.fault)


def _outcome(text: str) -> Outcome:
    if text not in set(Outcome):
        raise InvalidValue(f"{text!r} is no outcome.", hint=f"Use {any_of(Outcome)}.")
    return Outcome(text)


def _answered(text: str) -> ColumnElement[bool]:
    if not _ANSWER.fullmatch(text):
        raise InvalidValue(f"{text!r} is no answer.", hint="Give a status such as 503, or 4xx.")
    if text.endswith("xx"):
        first = int(text[0]) * 100
        return AttemptRow.answer_status.between(first, first + 99)
    return AttemptRow.answer_status == int(text)


def _had_fault(text: str) -> ColumnElement[bool]:
    """Return the condition for a kind, with or without its variant, among those of an attempt."""
    if text == ANY_FAULT:
        return AttemptRow.fault.is_not(None)
    name, colon, how = text.partition(":")
    kind = fault_kind(name)
    part = str(FaultSpec.parse(text)) if how and how not in kind.on_record else text
    parts = literal("+").concat(AttemptRow.fault).concat("+")
    whole = parts.contains(f"+{part}+", autoescape=True)
    return whole if colon else or_(whole, parts.contains(f"+{name}:", autoescape=True))


def _begins(beginning: str) -> ColumnElement[bool]:
    return func.substr(EventRow.body, 1, len(beginning)) == beginning


def _has_text(text: str) -> ColumnElement[bool]:
    """Return the condition for a text in the body, or for a part of an id."""
    # As a body spells it: within the quotes of JSON.
    spelt = json.dumps(_text(text, "q"), ensure_ascii=False)[1:-1]
    found: list[Any] = [EventRow.body.icontains(spelt, autoescape=True)]
    if _PART_OF_ID.fullmatch(text.lower()):
        for column in (DeliveryRow.id, EventRow.id):
            found += [column.startswith(text.lower()), column.endswith(text.lower())]
    return or_(*found)


def _text(text: str, what: str) -> str:
    if not text:
        raise InvalidValue(f"{what} has no text.", hint="Give a text, or leave it out.")
    return check_text(text, what=f"text of {what}", longest=_LONGEST)


def selected(session: Session, which: Filter, what: Any = DeliveryRow) -> Select[Any]:
    """Return the statement that finds the deliveries that a filter selects.

    Raises:
        NotFound: there is no such product.
        InvalidValue: the glob matches no event name, or there is no such status, outcome, answer or
            fault.
    """
    check_type(which, Filter, what="The filter", words='a Filter, such as Filter(event="idea.*")')
    statement = select(what).where(*conditions(which))
    if which.status is not None or which.is_settled is not None:
        statement = statement.where(_in_states(which))
    if which.event is not None or is_of_event(which):
        statement = statement.join(EventRow)
    if which.event is not None:
        statement = statement.where(EventRow.name.in_(matching(which.event)))
    if which.product is not None:
        statement = statement.where(
            DeliveryRow.product_id == lookup.product(session, which.product).id
        )
    if which.since is not None:
        statement = statement.where(DeliveryRow.created_at >= to_milliseconds(which.since))
    if which.before is not None:
        statement = statement.where(DeliveryRow.created_at < to_milliseconds(which.before))
    return statement


def _in_states(which: Filter) -> ColumnElement[bool]:
    # One by one, and not as parameters: each state of a pending delivery has an index of its own.
    conditions = [DeliveryRow.state == literal_column(f"'{each}'") for each in _states(which)]
    return or_(false(), *conditions)


def _states(which: Filter) -> Sequence[DeliveryState]:
    if which.status is not None and which.status not in set(DeliveryStatus):
        raise InvalidValue(
            f"{which.status!r} is no status of a delivery.", hint=f"Use {any_of(DeliveryStatus)}."
        )
    return [
        state
        for state in DeliveryState
        if which.status in {None, state.status} and which.is_settled in {None, state.is_end}
    ]


#: The most deliveries that are counted.
MOST_COUNTED: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class DeliveryCount:
    """How many deliveries a filter selects.

    Attributes:
        by_status: the number for each status.
        is_more: whether counting stopped at 100 000 deliveries.
    """

    by_status: Mapping[DeliveryStatus, int] = field(hash=False)
    is_more: bool

    @property
    def count(self) -> int:
        """The number of all of them."""
        return sum(self.by_status.values())

    def document(self) -> dict[str, Any]:
        """Return the numbers as JSON."""
        by_status = {each.value: number for each, number in self.by_status.items()}
        return {"count": self.count, "byStatus": by_status, "more": self.is_more}


def count_deliveries(session: Session, which: Filter) -> DeliveryCount:
    """Count the deliveries that a filter selects; it raises what ``selected`` raises."""
    found = selected(session, which, DeliveryRow.state).limit(MOST_COUNTED).subquery()
    by_status = dict.fromkeys(DeliveryStatus, 0)
    by_state = select(found.c.state, func.count()).group_by(found.c.state)
    for state, number in session.execute(by_state):
        by_status[state.status] += number
    is_more = sum(by_status.values()) == MOST_COUNTED
    return DeliveryCount(by_status=by_status, is_more=is_more)
