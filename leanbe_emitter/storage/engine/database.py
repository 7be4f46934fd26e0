"""Engine and transactions: the same statements on SQLite and PostgreSQL.

A transaction that writes on SQLite begins IMMEDIATE, so that two writers wait for each other and
never fail half-way; one that only reads begins deferred and waits for nobody.

SQLAlchemy is used synchronously everywhere. A worker's loop reaches the database through one seam,
a thread; in the library, the caller's own thread does it. What differs between the two databases
stands in ``storage`` and in ``delivery.sqlite`` and ``delivery.postgresql``.

A database in memory is one connection, which all threads share in turn. It begins as a copy of one
image, and its engine belongs to the process: tables are made once, and each statement is compiled
once.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from leanbe_emitter.errors import Conflict, DatabaseUnavailable, InvalidValue
from leanbe_emitter.settings import Synchronous
from leanbe_emitter.storage.engine import sqlite_driver
from leanbe_emitter.storage.engine.driver_errors import unavailable_as_ours
from leanbe_emitter.storage.engine.nonblocking import WouldBlock, may_block
from leanbe_emitter.storage.engine.notify import tells_workers
from leanbe_emitter.storage.engine.pinging import ping_what_rested
from leanbe_emitter.storage.engine.postgresql_driver import take_arrays
from leanbe_emitter.storage.engine.same_file import SameFile
from leanbe_emitter.storage.engine.sessions import LazySession
from leanbe_emitter.storage.engine.urls import parse_database_url, shown
from leanbe_emitter.storage.engine.writer_lock import Writers

#: How long a SQLite writer waits for another, in seconds, unless the URL says (``?timeout=2``).
BUSY_TIMEOUT_SECONDS = 10.0
#: After how many pages SQLite moves its log into the file: twice its own number, as emission and
#: settlement write the same pages again and again.
CHECKPOINT_PAGES = 2000
#: When a PostgreSQL is given up that the network has swallowed, unless its URL says. A connection
#: may take 10 s, its machine may owe an acknowledgement for 20 s (those are milliseconds), and a
#: silent one is asked for a sign of life after 10 s, twice.
POSTGRESQL_PATIENCE: Mapping[str, Any] = {
    "connect_timeout": 10,
    "tcp_user_timeout": 20_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}

#: What psycopg takes as a number or as nothing, and a URL holds as text.
_THRESHOLD = "prepare_threshold"
#: More seconds than anybody waits.
_ANY_TIMEOUT = 1e6
#: What of an error's code of SQLite names its kind.
_PRIMARY_CODE = 0xFF
_READS = "leanbe_reads"
_WAITED = "leanbe_waited"
# Parameters are secrets and payloads: an error that nobody expected must not show them.
_OPTIONS: Mapping[str, Any] = {"hide_parameters": True}


class Database:
    """One database: where its transactions begin.

    Args:
        url: ``:memory:``, or any SQLAlchemy URL of SQLite or PostgreSQL.
        synchronous: when a file of SQLite waits for the disk.

    Attributes:
        failures: how often every connection was let go of; who has one of his own does so, too.

    Raises:
        InvalidValue: the text is no URL of a database that is supported.
    """

    def __init__(self, url: str, *, synchronous: Synchronous = Synchronous.NORMAL) -> None:
        self.url = parse_database_url(url)
        self.in_memory = self.url.get_backend_name() == "sqlite" and not self.url.database
        self._synchronous = synchronous
        self.engine = _memory_engine() if self.in_memory else _engine(self.url, synchronous)
        #: What is in memory is in one connection, and is gone with it.
        self._memory = self.engine.connect() if self.in_memory else None
        self.dialect = self.engine.dialect.name
        self._reader = self._reading_engine()
        self._told: list[Callable[[], object]] = []
        self.failures = 0
        # One connection serves every thread in memory: one transaction at a time on it.
        self._turn: AbstractContextManager[Any] = (
            threading.RLock() if self.in_memory else nullcontext()
        )
        self._writers: AbstractContextManager[float] = (
            Writers(patience_seconds=_busy_timeout_seconds(self.url))
            if self.dialect == "sqlite" and not self.in_memory
            else nullcontext(0.0)
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Begin a transaction that writes; commit at the end, roll back on any error."""
        with (
            self._turn,
            self._writers as waited,
            self._failures_as_ours(),
            self._connected(self.engine, waited=waited) as connection,
            connection.begin(),
            LazySession(connection) as session,
        ):
            yield session
            session.flush()
        if tells_workers(session):
            for tell in tuple(self._told):
                tell()

    @contextmanager
    def telling(self, tell: Callable[[], object]) -> Iterator[None]:
        """Call ``tell``, for as long as the block lasts, when this handle made something due.

        It is called after the commit, in the thread that committed.
        """
        self._told.append(tell)
        try:
            yield
        finally:
            self._told.remove(tell)

    def again(self) -> "Database":
        """Return another handle of the same database, which is the caller's to close."""
        url = self.url.render_as_string(hide_password=False)
        return Database(url, synchronous=self._synchronous)

    def own_connection(self) -> Any:
        """Return a new connection of the driver, which is the caller's to close.

        Raises:
            DatabaseUnavailable: there is none to be had.
        """
        with unavailable_as_ours(self.url):
            pooled = self.engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        return connection

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Begin a transaction that only reads: all of it sees the state that its beginning saw."""
        with (
            self._turn,
            self._failures_as_ours(),
            self._connected(self._reader) as connection,
            closing(connection.begin()),
            LazySession(connection) as session,
        ):
            yield session

    def _reading_engine(self) -> Engine:
        """Return the engine of connections that only read, which come from the same pool."""
        options: dict[str, Any] = {_READS: True}
        if self.dialect == "postgresql":
            # As on SQLite: what is read in several statements is of one moment.
            options["isolation_level"] = "REPEATABLE READ"
        return self.engine.execution_options(**options)

    def _connected(
        self, engine: Engine, *, waited: float = 0.0
    ) -> AbstractContextManager[Connection]:
        if self._memory is None:
            connection = engine.connect()
            return connection.execution_options(**{_WAITED: waited}) if waited else connection
        if self._memory.closed:
            raise DatabaseUnavailable(
                "It was closed, and what was in memory is gone.",
                hint="Open another: with Leanbe() as leanbe.",
            )
        if self._memory.in_transaction():
            # SQLAlchemy would make it a part of the other one, and of what becomes of that.
            raise Conflict(
                "In memory there is one transaction at a time, and this thread is in one.",
                hint="Take what is iterated over as a list first.",
            )
        return nullcontext(self._memory)

    def image(self) -> bytes:
        """Return all that is in memory, as SQLite would write it to a file."""
        with self._turn:
            image: bytes = self._driver_connection().serialize()
            return image

    def load(self, image: bytes) -> None:
        """Have in memory what an image holds, and nothing else."""
        # By a copy, as a connection that an image is opened in goes on with the tables it knew.
        with self._turn, closing(sqlite3.connect(":memory:")) as opened:
            opened.deserialize(image)
            opened.backup(self._driver_connection())

    def _driver_connection(self) -> Any:
        assert self._memory is not None  # noqa: S101 - only what is in memory is copied
        return self._memory.connection.driver_connection

    @contextmanager
    def _failures_as_ours(self) -> Iterator[None]:
        """Let go of every connection after a failure: it may only be of them.

        A file of SQLite that was opened as read-only stays so, whoever may write to it by then; a
        PostgreSQL that is no longer the primary one may still answer.
        """
        try:
            with unavailable_as_ours(self.url):
                yield
        except DatabaseUnavailable:
            if not self.in_memory:
                self.engine.dispose()
                self.failures += 1
            raise

    def close(self) -> None:
        """Close every connection; what was in memory is gone."""
        if self._memory is not None:
            self._memory.close()
        else:
            self.engine.dispose()

    def __repr__(self) -> str:
        return f"Database({shown(self.url)!r})"


@cache
def _memory_engine() -> Engine:
    """Return the engine of all that is in memory: each of its connections is a database.

    It is one for the process because it keeps what SQLAlchemy made of each statement, which takes
    longer than a test with it.
    """
    engine = _sqlite_engine(URL.create("sqlite"), Synchronous.NORMAL, poolclass=NullPool)
    event.listen(engine, "handle_error", _keep_connection)
    return engine


def _keep_connection(context: ExceptionContext) -> None:
    """Close no connection because of an interrupt, like Ctrl-C: in memory, it is all there is."""
    context.is_disconnect = False


def _engine(url: URL, synchronous: Synchronous) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _postgresql_engine(url)
    engine = _sqlite_engine(url, synchronous)
    event.listen(engine, "do_connect", _open_if_may_block)
    SameFile().watch(engine)
    return engine


def _sqlite_engine(url: URL, synchronous: Synchronous, **options: Any) -> Engine:
    engine = create_engine(
        url,
        # SQLAlchemy begins and ends the transactions, not the driver; its pool sees to it that
        # a connection is used by one thread at a time, whichever made it.
        connect_args={
            "check_same_thread": False,
            "isolation_level": None,
            "cached_statements": sqlite_driver.PREPARED,
            "timeout": _busy_timeout_seconds(url),
        },
        **_OPTIONS,
        **options,
    )
    engine.dialect.do_savepoint = _savepoint  # type: ignore[method-assign]
    engine.dialect.do_release_savepoint = _release  # type: ignore[method-assign]
    event.listen(engine, "connect", partial(_prepare_sqlite, synchronous))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _busy_timeout_seconds(url: URL) -> float:
    text = url.query.get("timeout", BUSY_TIMEOUT_SECONDS)
    try:
        return float(str(text))
    except ValueError:
        raise InvalidValue(
            f"{text!r} is no timeout of SQLite's.", hint="Write seconds, like ?timeout=2.5."
        ) from None


def _prepare_sqlite(synchronous: Synchronous, connection: Any, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def _open_if_may_block(*_: object) -> None:
    """Open the file only where that may wait; what is open already serves all."""
    if not may_block():
        raise WouldBlock


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    begin = "BEGIN" if options.get(_READS, False) else "BEGIN IMMEDIATE"
    if not may_block():
        _begin_at_once(connection, begin)
        return
    waited = options.get(_WAITED, 0.0)
    with _shorter_timeout(connection, by=waited) if waited else nullcontext():
        sqlite_driver.execute(connection, begin)


def _begin_at_once(connection: Connection, begin: str) -> None:
    """Begin, and look into the file: who only reads begins with that."""
    try:
        with _shorter_timeout(connection, by=_ANY_TIMEOUT):
            sqlite_driver.execute(connection, begin)
            sqlite_driver.execute(connection, "PRAGMA schema_version")
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_BUSY:
            raise WouldBlock from error
        raise


@contextmanager
def _shorter_timeout(connection: Connection, *, by: float) -> Iterator[None]:
    """Let SQLite wait for so many seconds less: they were waited for the turn of this process."""
    ((timeout_ms,),) = sqlite_driver.execute(connection, "PRAGMA busy_timeout")
    left_ms = max(0, timeout_ms - int(by * 1000))
    sqlite_driver.execute(connection, f"PRAGMA busy_timeout = {left_ms}")
    try:
        yield
    finally:
        sqlite_driver.execute(connection, f"PRAGMA busy_timeout = {timeout_ms}")


def _savepoint(connection: Connection, name: str) -> None:
    """Set a savepoint by its text: SQLAlchemy would compile a statement for each."""
    sqlite_driver.execute(connection, f"SAVEPOINT {name}")


def _release(connection: Connection, name: str) -> None:
    sqlite_driver.execute(connection, f"RELEASE SAVEPOINT {name}")


def _postgresql_engine(url: URL) -> Engine:
    arguments = driver_arguments(url)
    try:
        engine = create_engine(url, connect_args=arguments, pool_pre_ping=True, **_OPTIONS)
    except ImportError as error:
        raise DatabaseUnavailable(
            "PostgreSQL was asked for, and its driver psycopg is not installed.",
            hint="Install it: pip install 'psycopg[binary]'.",
        ) from error
    take_arrays(engine)
    ping_what_rested(engine)
    return engine


def driver_arguments(url: URL) -> dict[str, Any]:
    """Return what psycopg is given besides the text of a URL, or instead of it.

    Raises:
        InvalidValue: the URL has an argument that psycopg would stumble over.
    """
    arguments = {
        name: value for name, value in POSTGRESQL_PATIENCE.items() if name not in url.query
    }
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
