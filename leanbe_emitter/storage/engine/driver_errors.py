"""What a driver says about the database itself is ``DatabaseUnavailable``, with what to do.

It leaves here so, and nowhere else.

The engine then closes every connection. An action fails as a whole; a worker keeps what has ended
and asks again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from leanbe_emitter.errors import DatabaseUnavailable, LeanbeError
from leanbe_emitter.hints import Hint
from leanbe_emitter.storage.engine.urls import NAMING, shown

_FAILURES = (OperationalError, InterfaceError)
# What SQLite and psycopg say as another error when the file or the server is at fault.
_FAILURE_WORDS = (
    "not a database",
    "malformed",
    "disk image",
    "server closed",
    "terminating",
    "read-only transaction",
    "prepared statement",
)


@contextmanager
def unavailable_as_ours(url: URL) -> Iterator[None]:
    """Turn what the driver says about the database itself into ``DatabaseUnavailable``."""
    try:
        yield
    except DBAPIError as error:
        if not _is_failure(error):
            raise
        raise _unavailable(url, error) from error


def _is_failure(error: DBAPIError) -> bool:
    if isinstance(error, _FAILURES):
        return True
    return any(word in str(error.orig) for word in _FAILURE_WORDS)


def _unavailable(url: URL, error: DBAPIError) -> LeanbeError:
    reason = str(error.orig).strip().splitlines()[0].strip()
    return DatabaseUnavailable(
        f"The database {shown(url)} does not answer as it should: {reason}.", hint=_advice(reason)
    )


#: What to do, by a word of what the database said.
_ADVICE: Mapping[str, str | Hint] = {
    "unable to open": NAMING.between(
        "Is its folder there, and may this user write to it? ", " names another."
    ),
    "not a database": NAMING.between(
        "", " has to name a file of leanbe-emitter's own, or a new one."
    ),
    "prepared statement": "Is a pooler between? With ?prepare_threshold=none nothing is prepared.",
    "read-only transaction": "Is this a standby, or a database set to read only?",
    "readonly": NAMING.between(
        "The file or its folder is read-only for this user; ", " names another."
    ),
    "disk I/O": "Is its disk full, or is there a limit to a file's size? Nothing was changed.",
    "disk is full": "Make room on that disk; nothing was changed.",
    "No space left": "Make room on the server's disk; nothing was changed.",
    "locked": "Another process holds it for long; try again when it is done.",
    "refused": NAMING.between("Is PostgreSQL running there? ", " names the database."),
    "starting up": "PostgreSQL starts just now: try again in a moment.",
    "accepting connections": "PostgreSQL starts just now: try again in a moment.",
    "server closed": "PostgreSQL stopped, or let go of this connection: try again.",
    "terminating": "PostgreSQL stopped, or let go of this connection: try again.",
    "does not exist": "Create it first: createdb NAME.",
}
#: What to do where it said anything else: no variable names the database of a handle in Python.
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
