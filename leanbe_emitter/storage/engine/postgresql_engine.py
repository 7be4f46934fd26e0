"""The engine of a PostgreSQL database: its driver's arguments, and when it pings a connection.

A ping costs a round trip before each transaction, and a worker begins hundreds of them a second. So
the engine pings a connection only when it may be lost: when it was idle for a while, or when there
is something to read from it. A server that stops, or that ends a connection, says so first.
"""

import select
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.errors import DatabaseUnavailable, InvalidValue
from leanbe_emitter.storage.engine.postgresql_driver import register_arrays

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
    register_arrays(engine)
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
