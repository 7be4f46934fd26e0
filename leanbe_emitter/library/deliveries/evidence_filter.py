"""Conditions of a filter on what a delivery sent and what came back.

Outcome, answer and fault are those of the last attempt, as a row shows them. ``q`` and ``about``
read bodies, so they look at the newest deliveries only.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from leanbe_emitter.domain.validation import check_text
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library.deliveries.delivery_filter import Filter
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.storage.schema.tables import AttemptRow, DeliveryRow, EventRow, RedeliveryRow
from leanbe_emitter.wire.did_you_mean import any_of
from leanbe_emitter.wire.faults.catalogue import FaultSpec, fault_kind
from leanbe_emitter.wire.payloads.subject import beginnings

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
