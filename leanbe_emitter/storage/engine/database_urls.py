"""URLs of databases: parsed, and shown without their passwords."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.hints import Hint

#: How users name a database on each surface.
NAMING = Hint(call="Leanbe(db)", command="--db", request="--db at the server's start")

# Arguments for the driver of SQLite. All others go to SQLite itself, if uri=true is among them.
_SQLITE_ARGUMENTS = frozenset(
    {"uri", "timeout", "isolation_level", "detect_types", "check_same_thread", "cached_statements"}
)
#: Arguments of PostgreSQL that are secrets.
_PASSWORDS = ("password", "sslpassword")


def parse_database_url(text: str) -> URL:
    """Return the URL of a text; ``postgresql://`` means psycopg 3.

    Raises:
        InvalidValue: the text is no URL of SQLite or PostgreSQL.
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
    """Return the text of a URL without its passwords, wherever they stand in it."""
    return url.difference_update_query(_PASSWORDS).render_as_string(hide_password=True)


def _check_arguments_of_sqlite(url: URL) -> None:
    """Refuse arguments that SQLAlchemy would leave out with a warning only."""
    ignored = sorted(set(url.query) - _SQLITE_ARGUMENTS)
    if ignored and "uri" not in url.query:
        raise InvalidValue(
            f"{shown(url)!r} has an argument {ignored[0]!r} that SQLite does not take.",
            hint="Arguments for SQLite itself need a file: URL with uri=true, as in SQLAlchemy.",
        )


def _no_database_url(given: object) -> InvalidValue:
    text = str(given)  # a program may give a Path
    is_secretive = "@" in text or "password" in text
    name = text.partition(":")[0] + "://..." if is_secretive else text
    return InvalidValue(
        f"{name!r} is no database URL of SQLite or PostgreSQL.",
        hint="Write sqlite:///FILE, postgresql://USER@HOST/NAME or :memory:.",
    )
