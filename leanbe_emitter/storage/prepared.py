"""Statements that were put together once: an ORM's takes longer to put together than to run.

They run past the session; what it holds back is written first.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Executable, Insert, Row, insert
from sqlalchemy.orm import Session, make_transient_to_detached


def found(
    session: Session, statement: Executable, **values: Any
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return what a statement finds that has these values for its parameters."""
    session.flush()
    return session.connection().execute(statement, values).all()


def write_new(session: Session, row: Any) -> None:
    """Insert a row by one plain statement; from then on it is one of the session's.

    What was not set is nothing: columns have no defaults here.
    """
    table = row.__table__
    for name in table.columns.keys() - row.__dict__.keys():
        setattr(row, name, None)
    values = {name: row.__dict__[name] for name in table.columns.keys()}  # noqa: SIM118 - no dict
    session.flush()
    session.connection().execute(_insert(table), values)
    make_transient_to_detached(row)
    session.add(row)


@cache
def _insert(table: Any) -> Insert:
    return insert(table)
