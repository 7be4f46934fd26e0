"""Pages of lists. A cursor names the last entry of a page by its instant and its id."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, and_, func, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.errors import InvalidValue, check_type
from leanbe_emitter.wire.did_you_mean import any_of

#: The default number of entries of a page.
PAGE = 200

#: The orders of lists of documents: which document comes first.
ORDERS = ("oldest", "newest")

#: The milliseconds of the last entry's creation, and its id.
_CURSOR = re.compile(r"(-?[0-9]{1,15})-([0-9a-f]{24})")

#: The column of the instant by which a list is ordered.
At = InstrumentedAttribute[int]
Entry = TypeVar("Entry")
Found = TypeVar("Found", bound=Select[*tuple[Any, ...]])


class Page(list[Entry]):
    """A page of a list.

    Attributes:
        cursor: the value of ``after=`` for the next page; None at the end of the list.
    """

    def __init__(self, entries: Iterable[Entry], *, cursor: str | None) -> None:
        super().__init__(entries)
        self.cursor = cursor


def check_limit(limit: int) -> None:
    """Check the ``limit`` of a list.

    Raises:
        InvalidValue: the limit is no whole number, or less than 1.
    """
    check_type(limit, int, what="limit", words="a whole number")
    if limit < 1:
        raise InvalidValue(f"A list of {limit} holds nothing.", hint="Give 1 or more.")


def cursor_of(at: int | datetime, identifier: str) -> str:
    """Return the cursor of an entry: its instant, or the milliseconds of it, and its id."""
    return f"{to_milliseconds(at) if isinstance(at, datetime) else at}-{identifier}"


def oldest(found: Found, at: At, *, limit: int, after: str | None = None) -> Found:
    """Return a statement for a page of the oldest rows, by instant and then by id.

    The entry that the cursor names may be deleted by now.

    Args:
        found: selects the rows.
        at: the column of the instant; the row's ``id`` is its id.
        limit: the most rows.
        after: the cursor of the page before.

    Raises:
        InvalidValue: ``after`` is no cursor of a list.
    """
    identifier = at.class_.id
    if after is not None:
        then, last = _parsed(after)
        found = found.where(or_(at > then, and_(at == then, identifier > last)))
    return found.order_by(at, identifier).limit(limit)


def in_order(
    found: Select[Any], at: At, *, order: str, limit: int, after: str | None = None
) -> Select[Any]:
    """Return a statement for a page of rows, by instant and then by id.

    Args:
        found: selects the rows.
        at: the column of the instant; the row's ``id`` is its id.
        order: ``oldest`` or ``newest``: which row comes first.
        limit: the most rows.
        after: the cursor of the page before.

    Raises:
        InvalidValue: there is no such order, or ``after`` is no cursor of a list.
    """
    if order not in ORDERS:
        raise InvalidValue(f"{order!r} is no order.", hint=f"Use {any_of(ORDERS)}.")
    if order == ORDERS[0]:
        return oldest(found, at, limit=limit, after=after)
    identifier = at.class_.id
    if after is not None:
        then, last = _parsed(after)
        found = found.where(or_(at < then, and_(at == then, identifier < last)))
    return found.order_by(at.desc(), identifier.desc()).limit(limit)


def newest_ids(
    session: Session, found: Select[Any], at: At, *, limit: int, after: str | None = None
) -> Sequence[str]:
    """Return the ids of a page of the newest rows, by the primary key's index.

    Ids of one instant are in the order of creation (``outbox.record``). Within one second, the
    instants need not be in the order of the ids. So a first statement finds the second at which the
    page ends. PostgreSQL reads the whole table if both are one statement.

    Args:
        session: a session in a transaction.
        found: selects the ids.
        at: the column of the instant; the row's ``id`` is its id.
        limit: the most rows.
        after: the cursor of the page before.

    Raises:
        InvalidValue: ``after`` is no cursor of a list.
    """
    identifier = at.class_.id
    if after is not None:
        then, last = _parsed(after)
        found = found.where(
            identifier < f"{max(0, then // 1000 + 1):08x}",
            or_(at < then, and_(at == then, identifier < last)),
        )
    second = func.substr(identifier, 1, 8)
    ending = found.with_only_columns(second).order_by(identifier.desc())
    oldest = session.scalar(ending.offset(limit - 1).limit(1))
    if oldest is not None:
        found = found.where(identifier >= oldest)
    return session.scalars(found.order_by(at.desc(), identifier.desc()).limit(limit)).all()


def _parsed(cursor: str) -> tuple[int, str]:
    check_type(cursor, str, what="after", words="the cursor of the page before")
    parts = _CURSOR.fullmatch(cursor)
    if parts is None:
        raise InvalidValue(
            f"{cursor!r} is no cursor of a list.", hint="Give the cursor of the page before."
        )
    return int(parts[1]), parts[2]
