"""How objects are named: by name or e-mail, by id, or by a part of the id that no other has.

ObjectIds of one second share their beginning, so output abbreviates to the ending; six digits of
either end are enough where they are unique. A whole id beats a name, and a name an id's part.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from leanbe_emitter.domain.texts import can_be_held
from leanbe_emitter.errors import InvalidValue, NotFound
from leanbe_emitter.storage.queries.prepared import loaded
from leanbe_emitter.storage.schema.tables import OBJECT_ID_LENGTH
from leanbe_emitter.wire.suggestions import did_you_mean

#: How many digits of an id name an object, at the least.
SHORTEST_PART = 6

_BY_PART = f"by at least {SHORTEST_PART} digits of either end"
_ADVICE = f"Name it in full, or {_BY_PART} of its id."
_ADVICE_WITHOUT_NAMES = f"Name it by its id, or {_BY_PART} of that."
_ID_PART = re.compile(rf"[0-9a-f]{{{SHORTEST_PART},{OBJECT_ID_LENGTH}}}")

Row = TypeVar("Row")


def find(  # noqa: PLR0913 - what to look in, for whom, and how to say that it is not there
    session: Session,
    rows: Select[Row],
    reference: str,
    *,
    what: str,
    by_id: InstrumentedAttribute[str],
    by_name: Callable[[str], ColumnElement[bool]] | None = None,
    names: Callable[[], Sequence[str]] = list,
) -> Row:
    """Return the one row that a reference names.

    Args:
        session: the transaction.
        rows: where to look.
        reference: a name, an id, or a part of an id, which may begin with ``…`` as in output.
        what: the kind of object, for messages.
        by_id: the column of the ids.
        by_name: gives the condition of a match by name, where there are names.
        names: what there is, to name the nearest.

    Raises:
        NotFound: nothing is named so.
        InvalidValue: several are.
    """
    reference = reference.strip()
    for condition in _conditions(reference, by_id, by_name):
        matching = session.scalars(rows.where(condition).limit(2)).all()
        if matching:
            return _only(matching, reference, what)
    advice = _ADVICE if by_name else _ADVICE_WITHOUT_NAMES
    hint = did_you_mean(reference, names()) or advice
    raise NotFound(f"There is no {what} {reference!r}.", hint=hint)


def of_whole_id(
    session: Session, statement: Select[Row], reference: str, **values: str
) -> Row | None:
    """Return what ``find`` would, where the reference is the whole id of something that is there.

    Args:
        session: the transaction.
        statement: selects the row of an ``id``; it is kept, unlike those that ``find`` makes.
        reference: what may be an id.
        values: the statement's other parameters.
    """
    if len(reference) != OBJECT_ID_LENGTH or _ID_PART.fullmatch(reference) is None:
        return None
    return next(iter(loaded(session, statement, id=reference, **values)), None)


def deleted_meanwhile(what: str) -> NotFound:
    """Return the error for something that was there a moment ago."""
    return NotFound(f"The {what} was deleted meanwhile.", hint="Somebody else acted, too.")


def _conditions(
    reference: str,
    by_id: InstrumentedAttribute[str],
    by_name: Callable[[str], ColumnElement[bool]] | None,
) -> Iterator[ColumnElement[bool]]:
    """Yield what the reference may match, the strongest first."""
    part = reference.removeprefix("…").lower()
    is_part = _ID_PART.fullmatch(part) is not None
    if is_part and len(part) == OBJECT_ID_LENGTH:
        yield by_id == part
    # What no database can hold is no name in one, and must not be asked for.
    if by_name is not None and can_be_held(reference):
        yield by_name(reference)
    if is_part:
        yield or_(by_id.startswith(part), by_id.endswith(part))


def _only(rows: Sequence[Row], reference: str, what: str) -> Row:
    if len(rows) > 1:
        raise InvalidValue(
            f"{reference!r} names more than one {what}.", hint="Give more of its id."
        )
    return rows[0]
