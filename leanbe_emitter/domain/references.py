"""How objects are named: by name or e-mail, by id, or by a part of the id that no other has.

ObjectIds of one second share their beginning, so output abbreviates to the ending; six digits of
either end are enough where they are unique. A name beats an id's part.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from leanbe_emitter.errors import InvalidValue, NotFound
from leanbe_emitter.wire.nearest import did_you_mean

#: How many digits of an id name an object, at the least.
SHORTEST_PART = 6

_ID_PART = re.compile(rf"[0-9a-f]{{{SHORTEST_PART},24}}")

Row = TypeVar("Row")


def find(  # noqa: PLR0913 - what to look in, for whom, and how to say that it is not there
    session: Session,
    rows: Select[Row],
    reference: str,
    *,
    what: str,
    by_id: InstrumentedAttribute[str],
    by_name: ColumnElement[bool] | None = None,
    names: Callable[[], Sequence[str]] = list,
) -> Row:
    """Return the one row that a reference names.

    Args:
        session: the transaction.
        rows: where to look.
        reference: a name, an id, or a part of an id; a leading ``…`` is passed over.
        what: the kind of object, for messages.
        by_id: the column of the ids.
        by_name: the condition of a match by name, where there are names.
        names: what there is, to name the nearest.

    Raises:
        NotFound: nothing is named so.
        InvalidValue: several are.
    """
    reference = reference.strip().removeprefix("…")
    if by_name is not None:
        named = session.scalars(rows.where(by_name).limit(2)).all()
        if named:
            return _only(named, reference, what)
    matching = session.scalars(rows.where(_id_matches(by_id, reference)).limit(2)).all()
    if not matching:
        raise NotFound(f"There is no {what} {reference!r}.", hint=did_you_mean(reference, names()))
    return _only(matching, reference, what)


def _id_matches(by_id: InstrumentedAttribute[str], reference: str) -> ColumnElement[bool]:
    part = reference.lower()
    if not _ID_PART.fullmatch(part):
        return by_id == ""
    return or_(by_id == part, by_id.startswith(part), by_id.endswith(part))


def _only(rows: Sequence[Row], reference: str, what: str) -> Row:
    if len(rows) > 1:
        raise InvalidValue(
            f"{reference!r} names more than one {what}.", hint="Give more of its id."
        )
    return rows[0]
