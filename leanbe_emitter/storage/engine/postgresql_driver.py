"""What psycopg is told beyond what SQLAlchemy tells it: arrays, and statements that run often.

SQLAlchemy takes 50 to 100 microseconds for a statement. An error of the driver leaves here as
SQLAlchemy would raise it, without the parameters: they are secrets and payloads.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

from sqlalchemy import Connection, Dialect, Engine, TextClause, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leanbe_emitter.storage.queries.arrays import ARRAYS, Array


def take_arrays(engine: Engine) -> None:
    """Let each connection of an engine take arrays that are packed already."""
    event.listen(engine, "connect", _take_arrays)


def execute(
    within: Session | Connection, statement: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """Run a statement on PostgreSQL; return all rows that it finds.

    Listeners of the engine are told of it, as of any other.

    Args:
        within: an open transaction.
        statement: has ``%(name)s``, or ``%(name)b`` for what is sent in binary.
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
    except BaseException as error:  # noqa: BLE001 - it is raised again, whatever it is
        _fail(connection, statement, error)


@cache
def text_for_driver(statement: TextClause, dialect: Dialect) -> str:
    """Return a statement of SQLAlchemy's as the driver takes it."""
    return str(statement.compile(dialect=dialect))


def _listened_to(
    connection: Connection, statement: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    result = connection.exec_driver_sql(statement, dict(values))
    return [tuple(row) for row in result] if result.returns_rows else []


def _fail(connection: Connection, statement: str, error: BaseException) -> NoReturn:
    """Raise what SQLAlchemy would; let go of a connection that is broken, or was broken off."""
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


def _take_arrays(connection: Any, _record: object) -> None:
    for kind in ARRAYS.values():
        connection.adapters.register_dumper(kind, _dumper_of(kind))


@cache
def _dumper_of(kind: type[Array]) -> Any:
    from psycopg.adapt import Dumper  # noqa: PLC0415 - an extra, which SQLite does without
    from psycopg.pq import Format  # noqa: PLC0415 - the same

    class ArrayDumper(Dumper):
        format = Format.BINARY
        oid = kind.oid

        def dump(self, obj: Array) -> Array:
            return obj

    return ArrayDumper
