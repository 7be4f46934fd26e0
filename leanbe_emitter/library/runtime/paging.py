"""Lists that come in pages: a cursor names the last entry of a page by its instant and its id."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, and_, func, or_

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.errors import InvalidValue

#: How many entries a list has unless it is told otherwise.
PAGE = 200

#: When the last one was created, and its id.
_CURSOR = re.compile(r"(-?[0-9]{1,15})-([0-9a-f]{24})")

Entry = TypeVar("Entry")
Found = TypeVar("Found", bound=Select[*tuple[Any, ...]])


class Page(list[Entry]):
    """A part of a list.

    Attributes:
        cursor: what ``after=`` takes to go on; None at the end of the list.
    """

    def __init__(self, entries: Iterable[Entry], *, cursor: str | None) -> None:
        super().__init__(entries)
        self.cursor = cursor


def check_limit(limit: int) -> None:
    """See that a list is to hold something.

    Raises:
        InvalidValue: it is not.
    """
    if limit < 1:
        raise InvalidValue(f"A list of {limit} holds nothing.", hint="Give 1 or more.")


def cursor_of(at: int | datetime, identifier: str) -> str:
    """Return the cursor of an entry: its instant, or the milliseconds of it, and its id."""
    return f"{to_milliseconds(at) if isinstance(at, datetime) else at}-{identifier}"


def oldest(
    found: Found, at: Any, identifier: Any, *, limit: int, after: str | None = None
) -> Found:
    """Return the oldest of what was found, first; of one instant, by their ids.

    What the cursor names may be gone by now.

    Args:
        found: selects the rows.
        at: the column of the instant.
        identifier: the column of the id.
        limit: how many at the most.
        after: the cursor that a page before ended with.

    Raises:
        InvalidValue: ``after`` is no cursor of a list.
    """
    if after is not None:
        then, last = _parsed(after)
        found = found.where(or_(at > then, and_(at == then, identifier > last)))
    return found.order_by(at, identifier).limit(limit)


def newest(
    found: Select[Any], at: Any, identifier: Any, *, limit: int, after: str | None = None
) -> Select[Any]:
    """Return the newest of what was found, first; by the primary key's index.

    Of one instant, ids are in the order in which they were made (``outbox.record``); of one second,
    the instants need not be.

    Args:
        found: selects the ids.
        at: the column of the instant.
        identifier: the column of the id.
        limit: how many at the most.
        after: the cursor that a page before ended with.

    Raises:
        InvalidValue: ``after`` is no cursor of a list.
    """
    if after is not None:
        then, last = _parsed(after)
        found = found.where(
            identifier < f"{max(0, then // 1000 + 1):08x}",
            or_(at < then, and_(at == then, identifier < last)),
        )
    second = func.substr(identifier, 1, 8)
    oldest = found.with_only_columns(second).order_by(identifier.desc()).offset(limit - 1).limit(1)
    return (
        found.where(identifier >= func.coalesce(oldest.correlate(None).scalar_subquery(), ""))
        .order_by(at.desc(), identifier.desc())
        .limit(limit)
    )


def _parsed(cursor: str) -> tuple[int, str]:
    parts = _CURSOR.fullmatch(cursor)
    if parts is None:
        raise InvalidValue(
            f"{cursor!r} is no cursor of a list.", hint="Give the cursor of the page before."
        )
    return int(parts[1]), parts[2]
