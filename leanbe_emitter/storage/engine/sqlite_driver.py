"""Statements on the driver of SQLite itself, for what runs at every event or delivery.

SQLAlchemy takes 50 to 100 microseconds for each statement, and half a microsecond for each row that
it reads. Errors of the driver leave here as SQLAlchemy would raise them, without the parameters:
those are secrets and payloads.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

#: How many rows one statement gets at most: SQLite takes 32 766 values.
ROWS_AT_ONCE = 1000
#: How many prepared statements each connection keeps. To prepare a statement with the values of
#: many rows takes twice as long as to run it, and a worker's batches have any size up to its
#: concurrency.
CACHED_STATEMENTS = 256

Values = Sequence[Any] | Mapping[str, Any]


def execute(
    within: Session | Connection, statement: str, values: Values = ()
) -> list[tuple[Any, ...]]:
    """Run a statement on SQLite, and return all its rows.

    The session is not flushed first. Listeners of the engine see the statement like any other.

    Args:
        within: an open transaction.
        statement: has ``?`` for values of a sequence, and ``:name`` for values with names.
        values: its parameters.

    Raises:
        DBAPIError: the driver refused it.
    """
    connection = within if isinstance(within, Connection) else within.connection()
    if connection.engine.dispatch.before_cursor_execute:
        return _listened_to(connection, statement, values)
    driver: Any = connection.connection.driver_connection
    try:
        found: list[tuple[Any, ...]] = driver.execute(statement, values).fetchall()
    except sqlite3.Error as error:
        raise _as_sqlalchemy(error, statement, connection) from error
    return found


def batches(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield rows in batches for one statement each; nothing where there are no rows."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]


def insert_rows(
    connection: Connection, into: str, row: str, rows: Sequence[tuple[Any, ...]], *, at_once: int
) -> None:
    """Insert rows, many in each statement; there may be none.

    ``executemany`` makes a step for each row, and releases the interpreter each time. That costs a
    fifth of an insertion, and lets a waiting thread take over each time.

    Args:
        connection: the connection of a transaction.
        into: the statement's beginning, ``INSERT INTO attempts (delivery_id, number)``.
        row: the SQL of one row, ``(?, ?)``.
        rows: the values of each row.
        at_once: how many rows one statement inserts: SQLite takes 32 766 values.
    """
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        statement = f"{into} VALUES {', '.join([row] * len(some))}"
        execute(connection, statement, tuple(chain.from_iterable(some)))


def _listened_to(connection: Connection, statement: str, values: Values) -> list[tuple[Any, ...]]:
    parameters = values if isinstance(values, Mapping) else tuple(values)
    result = connection.exec_driver_sql(statement, parameters)
    return [tuple(row) for row in result] if result.returns_rows else []


def _as_sqlalchemy(error: sqlite3.Error, statement: str, connection: Connection) -> BaseException:
    return DBAPIError.instance(
        statement, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
    )
