"""SQLite: how it opens files, how its transactions begin, and statements on its driver itself.

A transaction that writes begins IMMEDIATE, so that two writers wait for each other and neither
fails half-way. A transaction that only reads begins deferred, and waits for nobody.

SQLite has one writer at a time. It lets the others sleep and try again, so among many writers some
never get their turn. Within one process, a lock therefore wakes the writers one after the other;
SQLite itself arranges writers of other processes.

By default, a transaction waits some seconds for a locked file. The thread of an event loop must not
wait: it begins its transactions under ``nowait``, and gets ``WouldBlock`` at once instead.

What runs at every event or delivery goes to the driver itself: SQLAlchemy takes 50 to 100
microseconds for each statement, and half a microsecond for each row that it reads. Errors of the
driver leave here as SQLAlchemy would raise them, without the parameters: those are secrets and
payloads.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache, partial
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.settings import Synchronous
from leanbe_emitter.storage.engine.sqlite_file import ReplacedFileCheck, create_private_file

#: How many seconds a writer waits for another, unless the URL says (``?timeout=2``).
BUSY_TIMEOUT_SECONDS = 10.0
#: After how many pages SQLite moves its log into the file: twice its own number, as emission and
#: settlement write the same pages again and again.
CHECKPOINT_PAGES = 2000
#: An execution option of connections: their transactions only read.
ONLY_READS = "leanbe_only_reads"
#: An execution option of connections: the seconds that this process has waited already.
WAITED_SECONDS = "leanbe_waited_seconds"

#: More seconds than any timeout.
_ANY_TIMEOUT = 1e6
#: The part of an error code of SQLite that names the kind of the error.
_PRIMARY_CODE = 0xFF
_MAY_WAIT = ContextVar("leanbe_may_wait", default=True)


class WouldBlock(Exception):
    """A transaction under ``nowait`` had to wait: the file is locked, or is not open yet.

    Nothing was changed.
    """


@contextmanager
def nowait() -> Iterator[None]:
    """Let transactions of the block raise ``WouldBlock`` instead of waiting for the file.

    This holds for the calling thread or task only. Threads that it gives work to may wait.
    """
    before = _MAY_WAIT.set(False)
    try:
        yield
    finally:
        _MAY_WAIT.reset(before)


@cache
def memory_engine(**options: Any) -> Engine:
    """Return the engine of all databases in memory: each of its connections is a database.

    The process has only one, because the engine keeps the compiled statements of SQLAlchemy. To
    compile them takes longer than a test that uses them.
    """
    engine = _engine(URL.create("sqlite"), Synchronous.NORMAL, poolclass=NullPool, **options)
    event.listen(engine, "handle_error", _keep_connection)
    return engine


def file_engine(url: URL, synchronous: Synchronous, **options: Any) -> Engine:
    """Return the engine of a database in a file.

    Args:
        url: names the file.
        synchronous: when SQLite waits for the disk.
        options: further arguments for SQLAlchemy.
    """
    engine = _engine(url, synchronous, **options)
    event.listen(engine, "do_connect", _open_unless_nowait)
    ReplacedFileCheck().install(engine)
    # After that check, which refuses to replace a file that was deleted.
    event.listen(engine, "do_connect", create_private_file)
    return engine


def busy_timeout_seconds(url: URL) -> float:
    """Return how long a writer waits for another.

    Raises:
        InvalidValue: the URL has a timeout that is no number.
    """
    text = url.query.get("timeout", BUSY_TIMEOUT_SECONDS)
    try:
        return float(str(text))
    except ValueError:
        raise InvalidValue(
            f"{text!r} is no timeout for SQLite.", hint="Write seconds, like ?timeout=2.5."
        ) from None


def _engine(url: URL, synchronous: Synchronous, **options: Any) -> Engine:
    engine = create_engine(
        url,
        # SQLAlchemy begins and ends the transactions, not the driver. Its pool lets one thread at a
        # time use a connection, whichever thread opened it.
        connect_args={
            "check_same_thread": False,
            "isolation_level": None,
            "cached_statements": CACHED_STATEMENTS,
            "timeout": busy_timeout_seconds(url),
        },
        **options,
    )
    engine.dialect.do_savepoint = _savepoint  # type: ignore[method-assign]
    engine.dialect.do_release_savepoint = _release  # type: ignore[method-assign]
    event.listen(engine, "connect", partial(_prepare, synchronous))
    event.listen(engine, "begin", _begin)
    return engine


def _keep_connection(context: ExceptionContext) -> None:
    """Keep a connection open after an interrupt (Ctrl-C): it is the whole database in memory."""
    context.is_disconnect = False


def _prepare(synchronous: Synchronous, connection: Any, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def _open_unless_nowait(*_: object) -> None:
    """Refuse to open the file under ``nowait``, as that may wait. Open connections serve all."""
    if not _MAY_WAIT.get():
        raise WouldBlock


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    begin = "BEGIN" if options.get(ONLY_READS, False) else "BEGIN IMMEDIATE"
    if not _MAY_WAIT.get():
        _begin_at_once(connection, begin)
        return
    waited = options.get(WAITED_SECONDS, 0.0)
    with _shorter_timeout(connection, by=waited) if waited else nullcontext():
        execute(connection, begin)


def _begin_at_once(connection: Connection, begin: str) -> None:
    """Begin and read the file: a transaction that only reads takes its lock at the first read."""
    try:
        with _shorter_timeout(connection, by=_ANY_TIMEOUT):
            execute(connection, begin)
            execute(connection, "PRAGMA schema_version")
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_BUSY:
            raise WouldBlock from error
        raise


@contextmanager
def _shorter_timeout(connection: Connection, *, by: float) -> Iterator[None]:
    """Let SQLite wait for so many seconds less, because this process has waited for them."""
    ((timeout_ms,),) = execute(connection, "PRAGMA busy_timeout")
    left_ms = max(0, timeout_ms - int(by * 1000))
    execute(connection, f"PRAGMA busy_timeout = {left_ms}")
    try:
        yield
    finally:
        execute(connection, f"PRAGMA busy_timeout = {timeout_ms}")


def _savepoint(connection: Connection, name: str) -> None:
    """Set a savepoint by its text: SQLAlchemy would compile a statement for each."""
    execute(connection, f"SAVEPOINT {name}")


def _release(connection: Connection, name: str) -> None:
    execute(connection, f"RELEASE SAVEPOINT {name}")


class WriterLock(AbstractContextManager[float]):
    """The lock of one file's writers in this process: one thread at a time enters the block.

    The block gets the number of seconds that the thread waited, so that SQLite waits for less.
    Under ``nowait``, a thread that would have to wait gets ``WouldBlock``.

    Args:
        patience_seconds: how long a thread waits. Afterwards it enters without the lock, and SQLite
            reports why it cannot write.
    """

    def __init__(self, *, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        # A thread may begin a second transaction: SQLite then reports that this cannot be.
        self._lock = threading.RLock()
        self._own = threading.local()

    def __enter__(self) -> float:
        waited = 0.0
        if not (is_taken := self._lock.acquire(blocking=False)):
            if not _MAY_WAIT.get():
                raise WouldBlock
            began_at = stopwatch()
            is_taken = self._lock.acquire(timeout=self._patience_seconds)
            waited = stopwatch() - began_at
        self._own.taken = (*getattr(self._own, "taken", ()), is_taken)
        return waited

    def __exit__(self, *_: object) -> None:
        *rest, is_taken = self._own.taken
        self._own.taken = tuple(rest)
        if is_taken:
            self._lock.release()


def is_sole_writer(session: Session) -> bool:
    """Return whether nobody else can write until this writing transaction has ended.

    On SQLite this holds from its beginning: rows that it has read stay as they are without a lock.
    """
    return session.connection().dialect.name == "sqlite"


def rows_written(session: Session) -> int | None:
    """Return how many rows this connection has written so far; None on PostgreSQL."""
    if not is_sole_writer(session):
        return None
    written: int = session.connection().connection.driver_connection.total_changes  # type: ignore[union-attr]
    return written


#: How many rows one statement gets at most: SQLite takes 32 766 values.
ROWS_AT_ONCE = 1000
_INSERTED_AT_ONCE = 2000
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


def batches(rows: Sequence[Any], *, size: int = ROWS_AT_ONCE) -> Iterator[Sequence[Any]]:
    """Yield rows in batches for one statement each; nothing where there are no rows."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def insert_rows(
    connection: Connection, into: str, row: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows, many in each statement; there may be none.

    ``executemany`` makes a step for each row, and releases the interpreter each time. That costs a
    fifth of an insertion, and lets a waiting thread take over each time.

    Args:
        connection: the connection of a transaction.
        into: the statement's beginning, ``INSERT INTO attempts (delivery_id, number)``.
        row: the SQL of one row, ``(?, ?)``.
        rows: the values of each row, 16 at most.
    """
    for some in batches(rows, size=_INSERTED_AT_ONCE):
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
