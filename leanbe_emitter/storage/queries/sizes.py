"""Sizes of rows: with them, a reader stops before it reads more than it can hold."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import BigInteger, case, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from leanbe_emitter.storage.schema.tables import AttemptRow, DeliveryRow, EventRow

#: The first SQLite that counts bytes without reading them.
_SQLITE_WITH_OCTET_LENGTH = (3, 43)


def event_sizes(session: Session, ids: Iterable[str]) -> Mapping[str, int]:
    """Return the bytes of the bodies of these events, by id; deleted events are left out."""
    size = _octets(EventRow.body)
    return _by_id(session, select(EventRow.id, size).where(EventRow.id.in_(set(ids))))


def delivery_sizes(session: Session, ids: Iterable[str]) -> Mapping[str, int]:
    """Return about how many bytes each of these deliveries has with all its attempts, by id.

    Each attempt shows its request's body. Deleted deliveries are left out.
    """
    of_attempt = func.coalesce(
        _octets(AttemptRow.request_body), _octets(EventRow.body)
    ) + func.coalesce(_octets(AttemptRow.answer_body), 0)
    is_there = AttemptRow.number.is_not(None)
    size = func.max(_octets(EventRow.body)) + func.sum(case((is_there, of_attempt), else_=0))
    statement = (
        select(DeliveryRow.id, size)
        .join(EventRow, EventRow.id == DeliveryRow.event_id)
        .outerjoin(AttemptRow, AttemptRow.delivery_id == DeliveryRow.id)
        .where(DeliveryRow.id.in_(set(ids)))
        .group_by(DeliveryRow.id)
    )
    return _by_id(session, statement)


def fitting(sizes: Sequence[int], *, max_bytes: int) -> int:
    """Return how many of these sizes, from the first, have at most ``max_bytes``; one at least."""
    totals = list(accumulate(sizes))
    return max(min(1, len(totals)), sum(total <= max_bytes for total in totals))


def _by_id(session: Session, statement: Any) -> Mapping[str, int]:
    return {identifier: int(size) for identifier, size in session.execute(statement)}


class _octets(FunctionElement[int]):  # noqa: N801 - a function of SQL
    """The number of bytes of a text or blob; null for null."""

    type = BigInteger()
    inherit_cache = True


@compiles(_octets)
def _octet_length(element: Any, compiler: Any, **options: Any) -> str:
    return f"octet_length({compiler.process(element.clauses, **options)})"


@compiles(_octets, "sqlite")
def _octet_length_of_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    value = compiler.process(element.clauses, **options)
    if sqlite3.sqlite_version_info >= _SQLITE_WITH_OCTET_LENGTH:
        return f"octet_length({value})"
    return f"length(CAST({value} AS BLOB))"
