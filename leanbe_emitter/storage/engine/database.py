"""A database and its transactions: the same statements on SQLite and PostgreSQL.

SQLAlchemy runs synchronously everywhere. A worker's loop reaches the database through one seam, a
thread; the library uses the caller's own thread. What differs between the two databases stands in
``storage`` and in ``delivery.queue``.

A database in memory is one connection, which all threads use in turn. It begins as a copy of one
image, and its engine belongs to the process: the process makes the tables once, and compiles each
statement once.

A transaction can notify workers at its commit that something is due. PostgreSQL notifies every
process that listens on a channel. SQLite shows to anybody who asks that another connection has
committed. Neither says anything before the commit, or after a rollback.

PostgreSQL ends one of two transactions that wait for each other. Nothing of that transaction is
left, so the call that it belonged to is made again, as a whole.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from leanbe_emitter.errors import Conflict, DatabaseUnavailable
from leanbe_emitter.settings import Synchronous
from leanbe_emitter.storage.engine.database_urls import parse_database_url, shown
from leanbe_emitter.storage.engine.driver_errors import Deadlock, as_ours, driver_errors_as_ours
from leanbe_emitter.storage.engine.postgresql import create_postgresql_engine
from leanbe_emitter.storage.engine.session import LazySession
from leanbe_emitter.storage.engine.sqlite import (
    ONLY_READS,
    WAITED_SECONDS,
    WriterLock,
    busy_timeout_seconds,
    file_engine,
    memory_engine,
)

# Parameters are secrets and payloads: the message of an unexpected error must not show them.
_OPTIONS: Mapping[str, Any] = {"hide_parameters": True}

#: The channel of PostgreSQL's notifications: one for the whole database.
CHANNEL = "leanbe_emitter_due"

_NOTIFIES = "leanbe_notifies_workers"


class Database:
    """A handle of one database, which begins its transactions.

    Args:
        url: ``:memory:``, or any SQLAlchemy URL of SQLite or PostgreSQL.
        synchronous: when a file of SQLite waits for the disk.

    Attributes:
        failures: how often the handle has dropped all its connections. Callers with a driver
            connection of their own close theirs, too, when this number changes.

    Raises:
        InvalidValue: the text is no URL of a supported database.
    """

    def __init__(self, url: str, *, synchronous: Synchronous = Synchronous.NORMAL) -> None:
        self.url = parse_database_url(url)
        self.in_memory = self.url.get_backend_name() == "sqlite" and not self.url.database
        self._synchronous = synchronous
        self.engine = _engine(self.url, synchronous, in_memory=self.in_memory)
        #: The one connection that holds a database in memory.
        self._memory = self.engine.connect() if self.in_memory else None
        self.dialect = self.engine.dialect.name
        self._reader = self._reading_engine()
        self._listeners: list[Callable[[], object]] = []
        self.failures = 0
        # In memory, one connection serves every thread: it has one transaction at a time.
        self._turn: AbstractContextManager[Any] = (
            threading.RLock() if self.in_memory else nullcontext()
        )
        self._writers: AbstractContextManager[float] = (
            WriterLock(patience_seconds=busy_timeout_seconds(self.url))
            if self.dialect == "sqlite" and not self.in_memory
            else nullcontext(0.0)
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Begin a transaction that writes. Commit it at the end; roll it back on any error."""
        with (
            self._turn,
            self._writers as waited,
            self._connected(self.engine, waited=waited) as connection,
            connection.begin(),
            LazySession(connection) as session,
        ):
            yield session
            session.flush()
        if _NOTIFIES in session.info:
            for listener in tuple(self._listeners):
                listener()

    @contextmanager
    def notifying(self, listener: Callable[[], object]) -> Iterator[None]:
        """Call ``listener``, while the block lasts, whenever this handle makes something due.

        The thread that committed calls it, after the commit.
        """
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def new_handle(self) -> "Database":
        """Return another handle of the same database. The caller closes it."""
        url = self.url.render_as_string(hide_password=False)
        return Database(url, synchronous=self._synchronous)

    def new_driver_connection(self) -> Any:
        """Return a new connection of the driver. The caller closes it.

        Raises:
            DatabaseUnavailable: the database takes no connection.
        """
        with driver_errors_as_ours(self.url):
            pooled = self.engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        return connection

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Begin a transaction that only reads. All its statements see the same state."""
        with (
            self._turn,
            self._connected(self._reader) as connection,
            closing(connection.begin()),
            LazySession(connection) as session,
        ):
            yield session

    def _reading_engine(self) -> Engine:
        """Return an engine for connections that only read. They come from the same pool."""
        options: dict[str, Any] = {ONLY_READS: True}
        if self.dialect == "postgresql":
            # As on SQLite, several statements read the state of one moment.
            options["isolation_level"] = "REPEATABLE READ"
        return self.engine.execution_options(**options)

    @contextmanager
    def _connected(self, engine: Engine, *, waited: float = 0.0) -> Iterator[Connection]:
        """Connect; after a failure, drop every connection, as the failure may be theirs only.

        A SQLite file that was opened read-only stays so on its connections, even when it can be
        written again. A PostgreSQL that is no longer the primary server may still answer.
        """
        try:
            if self._memory is not None:
                yield _only(self._memory)
                return
            with engine.connect() as connection:
                if waited:
                    connection.execution_options(**{WAITED_SECONDS: waited})
                yield connection
        except (DBAPIError, DatabaseUnavailable) as error:
            ours = as_ours(error, self.url)
            # After a deadlock, the connections are as good as before.
            is_failure = isinstance(ours, DatabaseUnavailable) and not isinstance(ours, Deadlock)
            if is_failure and not self.in_memory:
                self.engine.dispose()
                self.failures += 1
            if ours is error:
                raise
            raise ours from error

    def image(self) -> bytes:
        """Return the database in memory as the bytes of a SQLite file."""
        with self._turn:
            image: bytes = self._driver_connection().serialize()
            return image

    def load(self, image: bytes) -> None:
        """Replace the database in memory by that of an image."""
        # By a copy: a connection that deserializes an image keeps the tables that it knew before.
        with self._turn, closing(sqlite3.connect(":memory:")) as opened:
            opened.deserialize(image)
            opened.backup(self._driver_connection())

    def _driver_connection(self) -> Any:
        assert self._memory is not None  # noqa: S101 - only databases in memory are copied
        return self._memory.connection.driver_connection

    def close(self) -> None:
        """Close every connection. The content of a database in memory is gone then."""
        if self._memory is not None:
            self._memory.close()
        else:
            self.engine.dispose()

    def __repr__(self) -> str:
        return f"Database({shown(self.url)!r})"


def _only(connection: Connection) -> Connection:
    """Return the connection that holds a database in memory, if a transaction can begin on it."""
    if connection.closed:
        raise DatabaseUnavailable(
            "The database in memory was closed, and its content is gone.",
            hint="Open another: with Leanbe() as leanbe.",
        )
    if connection.in_transaction():
        # SQLAlchemy would make it a part of the open transaction, and share its fate.
        raise Conflict(
            "A database in memory has one transaction at a time, and this thread is in one.",
            hint="Make a list of what you iterate over first.",
        )
    return connection


def _engine(url: URL, synchronous: Synchronous, *, in_memory: bool) -> Engine:
    if in_memory:
        return memory_engine(**_OPTIONS)
    if url.get_backend_name() == "sqlite":
        return file_engine(url, synchronous, **_OPTIONS)
    return create_postgresql_engine(url, **_OPTIONS)


def notify_workers(session: Session) -> None:
    """Notify all workers, when this transaction commits, that something is due."""
    notify_in_process(session)
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_notify(%s, '')", (CHANNEL,))


def notify_in_process(session: Session) -> None:
    """Notify the workers of this process; the transaction itself notifies other processes."""
    session.info[_NOTIFIES] = True


class CommitCounter:
    """A number that changes whenever another connection has committed to a SQLite file.

    It reads ``PRAGMA data_version`` on a connection of its own, which never writes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None
        self._failures = database.failures

    def version(self) -> int | None:
        """Return the number; None while the file cannot be read. This never waits."""
        if self._failures != self._database.failures:
            # A file that was opened read-only stays so until all its connections are closed.
            self._failures = self._database.failures
            self.close()
        try:
            if self._connection is None:
                self._connection = self._database.new_driver_connection()
                self._connection.execute("PRAGMA busy_timeout = 0")
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except (DatabaseUnavailable, sqlite3.Error):
            self.close()
            return None
        return version

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


#: How often a call is made at most.
MOST_TRIES = 10

P = ParamSpec("P")
R = TypeVar("R")


def again_after_deadlock(call: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that is one transaction of its own: after a deadlock, it is called again.

    It raises ``Deadlock`` if each of ``MOST_TRIES`` calls ended in one.
    """

    @wraps(call)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(MOST_TRIES - 1):
            try:
                return call(*args, **kwargs)
            except Deadlock:
                continue
        return call(*args, **kwargs)

    return tried
