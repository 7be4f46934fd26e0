"""Errors of the drivers: those about the database itself become ``DatabaseUnavailable``.

Only this module turns them, and adds a hint. ``Database`` then closes every connection. An action
fails as a whole; a worker keeps the attempts that have ended, and tries again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from leanbe_emitter.errors import DatabaseUnavailable, LeanbeError
from leanbe_emitter.hints import Hint
from leanbe_emitter.storage.engine.database_urls import NAMING, shown
from leanbe_emitter.storage.engine.deadlocks import Deadlock

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
        f"The database {shown(url)} does not answer as it should: {reason}.", hint=_advice(reason)
    )


#: Hints, by a word of the database's message.
_ADVICE: Mapping[str, str | Hint] = {
    "unable to open": NAMING.between(
        "Is the file's folder there, and may this user write to it? ", " names another."
    ),
    "not a database": NAMING.between(
        "", " has to name a file of leanbe-emitter's own, or a new one."
    ),
    "prepared statement": (
        "Is there a pooler in between? With ?prepare_threshold=none, nothing is prepared."
    ),
    "read-only transaction": "Is this a standby, or a database set to read only?",
    "readonly": NAMING.between(
        "The file or its folder is read-only for this user; ", " names another."
    ),
    "disk I/O": "Is the disk full, or is the size of files limited? Nothing was changed.",
    "disk is full": "Make room on that disk; nothing was changed.",
    "No space left": "Make room on the server's disk; nothing was changed.",
    "locked": "Another process has locked the database for long. Try again when it has ended.",
    "refused": NAMING.between("Is PostgreSQL running there? ", " names the database."),
    "starting up": "PostgreSQL is starting: try again in a moment.",
    "accepting connections": "PostgreSQL is starting: try again in a moment.",
    "server closed": "PostgreSQL stopped, or closed this connection: try again.",
    "terminating": "PostgreSQL stopped, or closed this connection: try again.",
    "does not exist": "Create it first: createdb NAME.",
}
#: The hint for any other message. In Python, no variable names the database of a handle.
_UNKNOWN = Hint(
    call=f"Check {NAMING.call} and the database itself.",
    command=f"Check {NAMING.command} (or LEANBE_EMITTER_DB) and the database itself.",
    request=f"Check {NAMING.request} (or LEANBE_EMITTER_DB) and the database itself.",
)


def _advice(reason: str) -> str | Hint:
    for word, advice in _ADVICE.items():
        if word in reason:
            return advice
    return _UNKNOWN
