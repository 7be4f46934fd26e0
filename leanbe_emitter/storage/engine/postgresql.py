"""PostgreSQL: the engine, statements on psycopg itself, and arrays as parameters.

A ping costs a round trip before each transaction, and a worker begins hundreds of them a second. So
the engine pings a connection only when it may be lost: when it was idle for a while, or when there
is something to read from it. A server that stops, or that ends a connection, says so first.

What runs at every delivery goes to psycopg itself: SQLAlchemy takes 50 to 100 microseconds for each
statement. Errors of the driver leave here as SQLAlchemy would raise them, without the parameters:
those are secrets and payloads.

The arrays are binary, because text would escape every quote of every body. This module packs them,
and not psycopg: it looks for a dumper of each element, which takes three times as long.
"""

import select
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from struct import Struct
from typing import Any, ClassVar, NoReturn
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Engine, TextClause, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.errors import DatabaseUnavailable, InvalidValue

#: How long the driver waits for a PostgreSQL that the network has swallowed, unless the URL says:
#: 10 s for a connection, 20 s (those are milliseconds) for an acknowledgement, and 10 s of silence
#: before each of two keepalive probes.
TIMEOUTS: Mapping[str, Any] = {
    "connect_timeout": 10,
    "tcp_user_timeout": 20_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
#: How many seconds after its last use a connection is pinged before it is used again.
PING_AFTER_SECONDS = 1.0

#: An argument of psycopg that is a number or None, while a URL can hold only text.
_THRESHOLD = "prepare_threshold"


def create_postgresql_engine(url: URL, **options: Any) -> Engine:
    """Return the engine of a PostgreSQL database.

    Args:
        url: names it.
        options: further arguments for SQLAlchemy.

    Raises:
        DatabaseUnavailable: psycopg is not installed.
        InvalidValue: the URL has an argument that psycopg would not understand.
    """
    arguments = driver_arguments(url)
    try:
        engine = create_engine(
            url,
            connect_args=arguments,
            pool_pre_ping=True,
            # SQLAlchemy would ask each database for a type that no table of ours has.
            use_native_hstore=False,
            **options,
        )
    except ImportError as error:
        raise DatabaseUnavailable(
            "The database is a PostgreSQL, and its driver psycopg is not installed.",
            hint="Install it: pip install 'psycopg[binary]'.",
        ) from error
    event.listen(engine, "connect", _register_arrays)
    ping_idle_connections_only(engine)
    return engine


def driver_arguments(url: URL) -> dict[str, Any]:
    """Return the arguments for psycopg that the text of a URL lacks, or cannot express.

    Raises:
        InvalidValue: the URL has an argument that psycopg would not understand.
    """
    arguments = {name: value for name, value in TIMEOUTS.items() if name not in url.query}
    if _THRESHOLD in url.query:
        arguments[_THRESHOLD] = _prepare_threshold(str(url.query[_THRESHOLD]))
    return arguments


def _prepare_threshold(text: str) -> int | None:
    """Return after how many runs psycopg prepares a statement; None: never."""
    if text == "none":
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    raise InvalidValue(
        f"{text!r} is no {_THRESHOLD}.",
        hint=f"Write a number of runs, or ?{_THRESHOLD}=none to prepare nothing.",
    )


def ping_idle_connections_only(engine: Engine, *, now: Callable[[], float] = stopwatch) -> None:
    """Ping only connections that were idle for ``PING_AFTER_SECONDS``, or have something to read.

    Args:
        engine: an engine of psycopg that pings before each use.
        now: a clock that nobody sets, in seconds.
    """
    ping = engine.dialect.do_ping
    used_at: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def ping_if_idle(dbapi_connection: Any) -> bool:
        idle = now() - used_at.get(dbapi_connection, float("-inf"))
        is_trusted = idle <= PING_AFTER_SECONDS and not _has_input(dbapi_connection)
        return is_trusted or ping(dbapi_connection)

    def note_use(connection: Any, _record: object) -> None:
        # None stands for a broken connection, which the pool drops.
        if connection is not None:
            used_at[connection] = now()

    engine.dialect.do_ping = ping_if_idle  # type: ignore[method-assign]
    event.listen(engine, "checkin", note_use)


def _has_input(connection: Any) -> bool:
    """Return whether there is something to read: a server's last message, or the end."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


_HEAD = Struct(">iiiii")
_LENGTH = Struct(">i")
_NULL = _LENGTH.pack(-1)
_INT = Struct(">ii")
_BIGINT = Struct(">iq")


class Array(bytes):
    """An array of one dimension in PostgreSQL's binary format.

    Attributes:
        oid: the number of its type.
        element_oid: the number of its elements' type.
    """

    oid: ClassVar[int]
    element_oid: ClassVar[int]

    @classmethod
    def of(cls, values: Sequence[Any]) -> "Array":
        """Pack values, which may be None. Equal values are packed once: a batch has many."""
        pieces = {each: _NULL if each is None else cls._piece(each) for each in set(values)}
        head = _HEAD.pack(1 if values else 0, None in pieces, cls.element_oid, len(values), 1)
        # An empty array has no dimension, so its head ends before the dimension's length.
        return cls(head + b"".join([pieces[each] for each in values]) if values else head[:12])

    @staticmethod
    def _piece(value: Any) -> bytes:
        """Pack one value that is not None, with its length before it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} bytes)"


class BytesArray(Array):
    """A ``bytea[]``."""

    oid, element_oid = 1001, 17

    @staticmethod
    def _piece(value: bytes) -> bytes:
        return _LENGTH.pack(len(value)) + value


class TextArray(Array):
    """A ``text[]``."""

    oid, element_oid = 1009, 25

    @staticmethod
    def _piece(value: str) -> bytes:
        data = value.encode()
        return _LENGTH.pack(len(data)) + data


class IntArray(Array):
    """An ``int[]``."""

    oid, element_oid = 1007, 23

    @staticmethod
    def _piece(value: int) -> bytes:
        return _INT.pack(4, value)


class BigintArray(Array):
    """A ``bigint[]``."""

    oid, element_oid = 1016, 20

    @staticmethod
    def _piece(value: int) -> bytes:
        return _BIGINT.pack(8, value)


#: The classes of arrays, by the SQL names of their elements' types.
ARRAYS: Mapping[str, type[Array]] = {
    "text": TextArray,
    "bytea": BytesArray,
    "int": IntArray,
    "bigint": BigintArray,
}


def unnest(types: Mapping[str, str], *, prefix: str = "") -> str:
    """Return the SQL that turns the parameters of ``arrays`` into rows again.

    Args:
        types: the columns, in order, and their types.
        prefix: the beginning of the parameters' names.
    """
    return f"unnest({', '.join(f'%({prefix}{name})b::{kind}[]' for name, kind in types.items())})"


def arrays(
    types: Mapping[str, str], rows: Iterable[tuple[Any, ...]], *, prefix: str = ""
) -> dict[str, Array]:
    """Return rows as parameters: one array for each column. There may be no rows."""
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    return {
        f"{prefix}{name}": ARRAYS[kind].of(column)
        for (name, kind), column in zip(types.items(), columns, strict=True)
    }


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
    """Let a new connection take arrays as parameters."""
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
