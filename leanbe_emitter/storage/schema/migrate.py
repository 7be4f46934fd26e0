"""Which tables a database has, and how it gets those of this program.

The revisions are the files of ``migrations/versions``; their names begin with a date, so the last
in order is the newest. Reading the present revision needs no Alembic (its import takes a second);
only an upgrade or a downgrade loads it. An empty SQLite database gets today's tables at once: a
test holds them equal to what the migrations make.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

import leanbe_emitter
from leanbe_emitter.errors import DatabaseBehind
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.engine.driver_errors import unavailable_as_ours
from leanbe_emitter.storage.engine.urls import NAMING

if TYPE_CHECKING:
    from alembic.config import Config

#: The key of the lock that one migrating process holds on PostgreSQL.
_MIGRATION_LOCK = 0x1EA4BE


class SchemaState(StrEnum):
    """How a database's tables stand to this program's."""

    CURRENT = "current"
    EMPTY = "empty"
    BEHIND = "behind"
    NEWER = "newer"
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What a database holds: its state, its revision (None without one), and the newest known."""

    state: SchemaState
    revision: str | None
    newest: str


@cache
def migrations_folder() -> Path:
    """Return the folder of the migrations: in the installed package, or beside it in a checkout."""
    package = Path(leanbe_emitter.__file__).parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


@cache
def revisions() -> tuple[str, ...]:
    """Return the ids of all revisions, oldest first."""
    return tuple(sorted(path.stem for path in (migrations_folder() / "versions").glob("2*.py")))


def schema_of(database: Database) -> Schema:
    """Look at the database and say what it holds."""
    with database.reading() as session:
        return _schema(session.connection())


def prepare(database: Database) -> bool:
    """See to it that the database can be used: SQLite is created or migrated, others must be ready.

    Returns:
        True where the tables were made or changed just now.

    Raises:
        DatabaseBehind: its tables are not those of this program.
        DatabaseUnavailable: it cannot be opened, or is no database.
    """
    schema = schema_of(database)
    if schema.state is SchemaState.CURRENT:
        return False
    if database.in_memory and schema.state is SchemaState.EMPTY:
        database.load(_tables())
        return True
    if database.dialect == "sqlite" and schema.state is SchemaState.EMPTY:
        return _create(database)
    if database.dialect == "sqlite" and schema.state is SchemaState.BEHIND:
        upgrade(database)
        return True
    raise not_ready(schema)


def write_revision_again(database: Database) -> None:
    """Write what the tables are at, as it is: a full disk shows only at the commit of a change.

    Raises:
        DatabaseUnavailable: the database takes nothing.
    """
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = version_num"))


def not_ready(schema: Schema) -> DatabaseBehind:
    """Return the error that says why this database cannot be used as it is, and what to type."""
    upgrade_hint = "Type: leanbe-emitter db upgrade (with the same --db)."
    match schema.state:
        case SchemaState.EMPTY:
            return DatabaseBehind("The database has no tables of ours yet.", hint=upgrade_hint)
        case SchemaState.BEHIND | SchemaState.CURRENT:
            return DatabaseBehind(
                f"The database stands at revision {schema.revision}; "
                f"this program needs {schema.newest}.",
                hint=upgrade_hint,
            )
        case SchemaState.NEWER:
            return DatabaseBehind(
                f"The database stands at revision {schema.revision}, "
                f"which is newer than this program ({schema.newest}).",
                hint=NAMING.between("Use a newer leanbe-emitter; or ", " names another database."),
            )
        case SchemaState.FOREIGN:
            return DatabaseBehind(
                "The database holds tables of another program.",
                hint=NAMING.between(
                    "", " has to name an empty one, or one of leanbe-emitter's own."
                ),
            )


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to a revision; one process at a time, the others wait and find it done.

    Raises:
        DatabaseBehind: the database is newer than this program, or another program's.
        DatabaseUnavailable: it cannot be opened or written.
    """
    from alembic import command  # noqa: PLC0415 - its import takes a second

    with _migrating(database) as connection:
        schema = _schema(connection)
        if schema.state in {SchemaState.NEWER, SchemaState.FOREIGN}:
            raise not_ready(schema)
        command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Migrate down to a revision (``base``: to no tables at all)."""
    from alembic import command  # noqa: PLC0415 - its import takes a second

    with _migrating(database) as connection:
        command.downgrade(_config(connection), revision)


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    with unavailable_as_ours(database.url), database.engine.begin() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        yield connection


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - its import takes a second

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _create(database: Database) -> bool:
    with database.transaction() as session:
        # Another process may have been quicker: the transaction holds the write lock.
        if _schema(session.connection()).state is SchemaState.CURRENT:
            return False
        _create_tables(session)
        return True


@cache
def _tables() -> bytes:
    """Return a database with today's tables and nothing in them, as SQLite writes it to a file."""
    database = Database(":memory:")
    try:
        with database.transaction() as session:
            _create_tables(session)
        return database.image()
    finally:
        database.close()


def _create_tables(session: Session) -> None:
    # Most commands find the tables there, and some need no document's.
    from leanbe_emitter.storage.schema.document_tables import METADATA  # noqa: PLC0415

    connection = session.connection()
    METADATA.create_all(connection)
    session.execute(
        text(
            "CREATE TABLE alembic_version "
            "(version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)"
        )
    )
    session.execute(
        text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revisions()[-1]}
    )


def _schema(connection: Connection) -> Schema:
    revision = _revision(connection)
    return Schema(state=_state(connection, revision), revision=revision, newest=revisions()[-1])


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _state(connection: Connection, revision: str | None) -> SchemaState:
    known = revisions()
    if revision == known[-1]:
        return SchemaState.CURRENT
    if revision in known:
        return SchemaState.BEHIND
    if revision is not None:
        return SchemaState.NEWER
    tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
    return SchemaState.FOREIGN if tables else SchemaState.EMPTY
