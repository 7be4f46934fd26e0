"""Errors of the drivers: those about the database itself become ``DatabaseUnavailable``.

Only this module turns them, and ``driver_hints`` adds the hint. ``Database`` then closes every
connection. An action fails as a whole; a worker keeps the attempts that have ended, and tries
again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from leanbe_emitter.errors import DatabaseUnavailable, LeanbeError
from leanbe_emitter.storage.engine.database_urls import shown
from leanbe_emitter.storage.engine.deadlocks import Deadlock
from leanbe_emitter.storage.engine.driver_hints import advice_about

#: The SQLSTATE of a transaction that PostgreSQL ended because of a deadlock.
_DEADLOCK_DETECTED = "40P01"
_FAILURES = (OperationalError, InterfaceError)
# Words of other errors of SQLite and psycopg that also mean a fault of the file or the server.
_FAILURE_WORDS = (
    "not a database",
    "malformed",
    "disk image",
    "server closed",
    "terminating",
    "read-only transaction",
    "prepared statement",
    "permission denied for schema",
)


def as_ours(error: DBAPIError | LeanbeError, url: URL) -> DBAPIError | LeanbeError:
    """Return the error for users, if it is about the database itself; else the same error."""
    if not isinstance(error, DBAPIError):
        return error
    if getattr(error.orig, "sqlstate", None) == _DEADLOCK_DETECTED:
        return Deadlock()
    return _unavailable(url, error) if _is_failure(error) else error


@contextmanager
def driver_errors_as_ours(url: URL) -> Iterator[None]:
    """Turn errors of the driver about the database itself into ``DatabaseUnavailable``."""
    try:
        yield
    except DBAPIError as error:
        ours = as_ours(error, url)
        if ours is error:
            raise
        raise ours from error


def _is_failure(error: DBAPIError) -> bool:
    if isinstance(error, _FAILURES):
        return True
    return any(word in str(error.orig) for word in _FAILURE_WORDS)


def _unavailable(url: URL, error: DBAPIError) -> LeanbeError:
    reason = str(error.orig).strip().splitlines()[0].strip()
    return DatabaseUnavailable(
        f"The database {shown(url)} does not answer as it should: {reason}.",
        hint=advice_about(reason, url),
    )
