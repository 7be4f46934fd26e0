"""Statements as the driver of SQLite takes them: those that are run for every delivery or event.

SQLAlchemy takes 50 to 100 microseconds for a statement, and half of one for each row that is read.
An error of the driver leaves here as SQLAlchemy would raise it, without the parameters: they are
secrets and payloads.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

#: How many rows one statement is given at the most: SQLite takes 32 766 values.
ROWS_AT_ONCE = 1000
#: How many statements each connection keeps prepared: to prepare one that has values of many rows
#: takes twice as long as to run it, and a worker's batches have any size up to its concurrency.
PREPARED = 256

Values = Sequence[Any] | Mapping[str, Any]


def execute(
    within: Session | Connection, statement: str, values: Values = ()
) -> list[tuple[Any, ...]]:
    """Run a statement on SQLite; return all rows that it finds.

    What a session holds back is not written first. Listeners of the engine are told of the
    statement, as of any other.

    Args:
        within: an open transaction.
        statement: has ``?`` where the values are a sequence, and ``:name`` where they have names.
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


def pieces(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield rows in as many pieces as there have to be statements for them; none of no rows."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]


def _listened_to(connection: Connection, statement: str, values: Values) -> list[tuple[Any, ...]]:
    parameters = values if isinstance(values, Mapping) else tuple(values)
    result = connection.exec_driver_sql(statement, parameters)
    return [tuple(row) for row in result] if result.returns_rows else []


def _as_sqlalchemy(error: sqlite3.Error, statement: str, connection: Connection) -> BaseException:
    return DBAPIError.instance(
        statement, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
    )
