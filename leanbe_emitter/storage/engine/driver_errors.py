"""Errors of the drivers: those about the database itself become ``DatabaseUnavailable``.

Only this module turns them, and adds the hint. ``Database`` then closes every
connection. An action fails as a whole; a worker keeps the attempts that have ended, and tries
again.

The drivers tell the reasons of a refused connection apart by words only, without a code. So a hint
belongs to words of a message. The first pattern that fits counts, so the exact words come first.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from leanbe_emitter.errors import DatabaseUnavailable, LeanbeError
from leanbe_emitter.hints import Hint
from leanbe_emitter.storage.engine.database_urls import NAMING, shown

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


class Deadlock(DatabaseUnavailable):
    """The database ended a transaction that waited for another one, which waited for it."""

    def __init__(self) -> None:
        super().__init__(
            "This transaction and another one waited for each other, so the database ended it.",
            hint="Try again; nothing was changed.",
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


_Advice = str | Hint | Callable[[URL, re.Match[str]], str | Hint]

_FORM: Final = "postgresql://ROLE:PASSWORD@HOST/NAME"
_STARTING: Final = "PostgreSQL is starting: try again in a moment."
_STOPPED: Final = "PostgreSQL stopped, or closed this connection: try again."


def advice_about(reason: str, url: URL) -> str | Hint:
    """Return the hint for a driver's message.

    Args:
        reason: the first line of the message.
        url: names the database.
    """
    for pattern, advice in _ADVICE.items():
        found = re.search(pattern, reason)
        if found is not None:
            return advice(url, found) if callable(advice) else advice
    return _UNKNOWN


def _no_role(url: URL, found: re.Match[str]) -> Hint:
    role = found["name"]
    create = f"Create the role: {_program('createuser', url, user=None)} {shlex.quote(role)}"
    if url.username is None:
        create = f"The URL names no role, so PostgreSQL takes your user's name. {create}"
    return NAMING.between(f"{create}; or name another one in ", f": {_FORM}.")


def _no_login(_: URL, found: re.Match[str]) -> Hint:
    allow = f'As a superuser: ALTER ROLE "{found["name"]}" LOGIN; or name another role in '
    return NAMING.between(allow, f": {_FORM}.")


def _no_database(url: URL, found: re.Match[str]) -> str:
    program = _program("createdb", url, user=url.username)
    return f"Create it first: {program} {shlex.quote(found['name'])}."


def _program(name: str, url: URL, *, user: str | None) -> str:
    """Return one of PostgreSQL's programs with the options that reach the same server."""
    options = {"-h": url.host, "-p": url.port, "-U": user}
    given = [
        f"{option} {shlex.quote(str(value))}"
        for option, value in options.items()
        if value is not None
    ]
    return " ".join([name, *given])


def _bad_password(url: URL, _: re.Match[str]) -> Hint:
    if url.password is None:
        return _needs_password(url, _)
    return NAMING.between(
        "Check role and password in ",
        f": {_FORM}. In a password, @ is written %40, : is %3A, / is %2F and % is %25.",
    )


def _needs_password(_url: URL, _: re.Match[str]) -> Hint:
    return NAMING.between(
        "The role needs its password: in ", f" ({_FORM}), in PGPASSWORD or in ~/.pgpass."
    )


def _may_not(url: URL, found: re.Match[str]) -> str:
    role = f'"{url.username}"' if url.username else "ROLE"
    if found["kind"] == "database":
        return f'As its owner: GRANT CONNECT ON DATABASE "{found["name"]}" TO {role};'
    owner = f'ALTER DATABASE "{url.database}" OWNER TO {role};'
    return f"Let the role own the database, which creates its tables: {owner}"


#: Hints, by a pattern of the message. SQLite's come first.
_ADVICE: Mapping[str, _Advice] = {
    "unable to open": NAMING.between(
        "Is the file's folder there, and may this user write to it? ", " names another."
    ),
    "is not a database": NAMING.between(
        "", " has to name a file of leanbe-emitter's own, or a new one."
    ),
    "readonly": NAMING.between(
        "The file or its folder is read-only for this user; ", " names another."
    ),
    "disk I/O": "Is the disk full, or is the size of files limited? Nothing was changed.",
    "disk is full": "Make room on that disk; nothing was changed.",
    "is locked": "Another process has locked the database for long. Try again when it has ended.",
    # PostgreSQL, before it lets anybody in.
    r'role "(?P<name>.+)" does not exist': _no_role,
    r'role "(?P<name>.+)" is not permitted to log in': _no_login,
    r'database "(?P<name>.+)" does not exist': _no_database,
    "password authentication failed": _bad_password,
    "no password supplied": _needs_password,
    "(Peer|Ident) authentication failed": (
        "Through a socket, PostgreSQL lets in only the role of your user's own name. Name a host "
        f"and a password: {_FORM}."
    ),
    r"pg_hba\.conf.*no encryption": (
        "This server may ask for TLS: add ?sslmode=require. Otherwise its pg_hba.conf needs a line "
        "for this role, database and address."
    ),
    r"pg_hba\.conf": (
        "The server lets this role in from elsewhere only: its pg_hba.conf needs a line for this "
        "role, database and address."
    ),
    "failed to resolve host|translate host name|parse network address": NAMING.between(
        "No machine has this name: check the host in ", f" ({_FORM})."
    ),
    "socket .*No such file or directory": NAMING.between(
        "Is PostgreSQL running on this machine? A host in ", f" reaches one elsewhere: {_FORM}."
    ),
    "refused": NAMING.between("Is PostgreSQL running there? ", " names the database."),
    "timeout expired|timed out|unreachable|No route to host": NAMING.between(
        "Nothing answers there. Is a firewall in between? Check host and port in ", f": {_FORM}."
    ),
    "does not support SSL": "This server has no TLS: use ?sslmode=prefer, or no sslmode.",
    "root certificate file|certificate verify failed": (
        "?sslrootcert=FILE names the certificate of the authority that signed the server's own; "
        "?sslrootcert=system trusts what this machine trusts."
    ),
    "does not match host name": (
        "The server's certificate is for another name: connect by that name; or use "
        "?sslmode=verify-ca, which checks no name."
    ),
    "SSL error|SSL connection|certificate": (
        "TLS failed: check sslmode, sslrootcert, sslcert and sslkey in the URL."
    ),
    "too many clients|too many connections|connection slots are reserved": (
        "PostgreSQL has no connection left: end other clients, or raise its limit "
        "(max_connections, or CONNECTION LIMIT of the role or database)."
    ),
    "starting up|not (yet )?accepting connections": _STARTING,
    "recovery mode": "PostgreSQL is recovering from a crash: try again in a moment.",
    "shutting down": "PostgreSQL is stopping: try again when it has started again.",
    # PostgreSQL, later on.
    "No space left": "Make room on the server's disk; nothing was changed.",
    "read-only transaction|session is read-only|hot standby mode": (
        "Is this a standby, or a database set to read only? Name the primary: with several hosts "
        "in the URL, ?target_session_attrs=read-write finds it."
    ),
    'permission denied for (?P<kind>database|schema) "?(?P<name>[^"]+)"?': _may_not,
    "prepared statement": (
        "Is there a pooler in between? With ?prepare_threshold=none, nothing is prepared."
    ),
    "server closed|terminating": _STOPPED,
}
#: The hint for any other message. In Python, no variable names the database of a handle.
_UNKNOWN = Hint(
    call=f"Check {NAMING.call} and the database itself.",
    command=f"Check {NAMING.command} (or LEANBE_EMITTER_DB) and the database itself.",
    request=f"Check {NAMING.request} (or LEANBE_EMITTER_DB) and the database itself.",
)
