"""Statements on psycopg itself, for what runs at every delivery, and arrays as parameters.

SQLAlchemy takes 50 to 100 microseconds for each statement. Errors of the driver leave here as
SQLAlchemy would raise them, without the parameters: those are secrets and payloads.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

from sqlalchemy import Connection, Dialect, Engine, TextClause, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leanbe_emitter.storage.engine.postgresql_arrays import ARRAYS, Array


def register_arrays(engine: Engine) -> None:
    """Let every connection of an engine take ``postgresql_arrays`` as parameters."""
    event.listen(engine, "connect", _register_arrays)


def execute(
    within: Session | Connection, statement: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """Run a statement on PostgreSQL, and return all its rows.

    Listeners of the engine see the statement like any other.

    Args:
        within: an open transaction.
        statement: has ``%(name)s``, or ``%(name)b`` for a parameter in binary.
        values: its parameters.

    Raises:
        DBAPIError: the driver refused it.
    """
    connection = within if isinstance(within, Connection) else within.connection()
    if connection.engine.dispatch.before_cursor_execute:
        return _listened_to(connection, statement, values)
    driver: Any = connection.connection.driver_connection
    try:
        cursor = driver.cursor(binary=True).execute(statement, values)
        return cursor.fetchall() if cursor.description else []
    except BaseException as error:  # noqa: BLE001 - every error is raised again
        _fail(connection, statement, error)


@cache
def text_for_driver(statement: TextClause, dialect: Dialect) -> str:
    """Return the text of a SQLAlchemy statement for the driver."""
    return str(statement.compile(dialect=dialect))


def _listened_to(
    connection: Connection, statement: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    result = connection.exec_driver_sql(statement, dict(values))
    return [tuple(row) for row in result] if result.returns_rows else []


def _fail(connection: Connection, statement: str, error: BaseException) -> NoReturn:
    """Raise what SQLAlchemy would raise; drop a connection that is broken or interrupted."""
    dialect = connection.dialect
    failure: Any = dialect.loaded_dbapi.Error
    if not isinstance(error, failure):
        if not isinstance(error, Exception):
            connection.invalidate(error)
        raise error
    is_broken = dialect.is_disconnect(error, connection.connection.driver_connection, None)
    if is_broken:
        connection.invalidate(error)
    raise DBAPIError.instance(
        statement,
        None,
        error,
        failure,
        hide_parameters=True,
        connection_invalidated=is_broken,
        dialect=dialect,
    ) from error


def _register_arrays(connection: Any, _record: object) -> None:
    for kind in ARRAYS.values():
        connection.adapters.register_dumper(kind, _dumper_of(kind))


@cache
def _dumper_of(kind: type[Array]) -> Any:
    from psycopg.adapt import Dumper  # noqa: PLC0415 - an extra that SQLite does not need
    from psycopg.pq import Format  # noqa: PLC0415 - the same

    class ArrayDumper(Dumper):
        format = Format.BINARY
        oid = kind.oid

        def dump(self, obj: Array) -> Array:
            return obj

    return ArrayDumper
