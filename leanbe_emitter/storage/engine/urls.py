"""URLs of databases: which are taken, and how they may be seen."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.hints import Hint

#: How a database is named.
NAMING = Hint(call="Leanbe(db)", command="--db", request="--db at the server's start")

# What the driver of SQLite takes behind a "?"; all else goes to SQLite itself, by uri=true.
_SQLITE_ARGUMENTS = frozenset(
    {"uri", "timeout", "isolation_level", "detect_types", "check_same_thread", "cached_statements"}
)
#: Arguments of PostgreSQL's own that are secrets.
_PASSWORDS = ("password", "sslpassword")


def parse_database_url(text: str) -> URL:
    """Return the URL, with ``postgresql://`` meaning psycopg 3.

    Raises:
        InvalidValue: it is no URL of SQLite or PostgreSQL.
    """
    if text == ":memory:":
        return URL.create("sqlite")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise _no_database_url(text) from error
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise _no_database_url(shown(url))
    if url.get_backend_name() == "sqlite":
        _check_arguments_of_sqlite(url)
    if url.get_backend_name() == "sqlite" and url.database == ":memory:":
        return URL.create(url.drivername, query=url.query)
    return url


def shown(url: URL) -> str:
    """Return the URL as it may be seen: without a password, wherever it stands in it."""
    return url.difference_update_query(_PASSWORDS).render_as_string(hide_password=True)


def _check_arguments_of_sqlite(url: URL) -> None:
    """Refuse what the driver would not get: it would only be warned of, and left out."""
    ignored = sorted(set(url.query) - _SQLITE_ARGUMENTS)
    if ignored and "uri" not in url.query:
        raise InvalidValue(
            f"{shown(url)!r} has an argument {ignored[0]!r} that SQLite does not take.",
            hint="Arguments of SQLite's own need uri=true and a file: URL, as SQLAlchemy has it.",
        )


def _no_database_url(text: str) -> InvalidValue:
    is_secretive = "@" in text or "password" in text
    name = text.partition(":")[0] + "://..." if is_secretive else text
    return InvalidValue(
        f"{name!r} is no database URL of SQLite or PostgreSQL.",
        hint="Write sqlite:///FILE, postgresql://USER@HOST/NAME or :memory:.",
    )
