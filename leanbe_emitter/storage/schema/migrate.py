"""Migrations: the revision of a database's tables, and how a database gets those of this program.

The revisions are the files of ``migrations/versions``. Their names begin with a date, so the last
in order is the newest. Only an upgrade or a downgrade loads Alembic, whose import takes a second.
An empty SQLite database gets today's tables at once. A test compares them with the tables that the
migrations make.
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
from leanbe_emitter.storage.engine.database_urls import NAMING
from leanbe_emitter.storage.engine.driver_errors import driver_errors_as_ours

if TYPE_CHECKING:
    from alembic.config import Config

#: The key of PostgreSQL's advisory lock for migrations.
_MIGRATION_LOCK = 0x1EA4BE


class SchemaState(StrEnum):
    """The state of a database's tables, compared with this program's."""

    CURRENT = "current"
    EMPTY = "empty"
    BEHIND = "behind"
    NEWER = "newer"
    FOREIGN = "foreign"


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The tables of a database: their state, their revision (or None), and the newest revision."""

    state: SchemaState
    revision: str | None
    newest: str


@cache
def migrations_folder() -> Path:
    """Return the folder of the migrations: in the installed package, or beside it in a clone."""
    package = Path(leanbe_emitter.__file__).parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


@cache
def revisions() -> tuple[str, ...]:
    """Return the ids of all revisions, oldest first."""
    return tuple(sorted(path.stem for path in (migrations_folder() / "versions").glob("2*.py")))


def schema_of(database: Database) -> Schema:
    """Return the state of a database's tables."""
    with database.reading() as session:
        return _schema(session.connection())


def prepare(database: Database) -> bool:
    """Prepare a database for use: create or migrate SQLite's tables, and check PostgreSQL's.

    Returns:
        True if this call created or changed the tables.

    Raises:
        DatabaseBehind: the tables are not those of this program.
        DatabaseUnavailable: the database cannot be opened, or the file is no database.
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
    """Write the tables' revision as it is: a full disk shows only at the commit of a change.

    Raises:
        DatabaseUnavailable: the database cannot be written.
    """
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = version_num"))


def not_ready(schema: Schema) -> DatabaseBehind:
    """Return the error that says why the tables cannot be used, and what to type."""
    upgrade_hint = "Type: leanbe-emitter db upgrade (with the same --db)."
    match schema.state:
        case SchemaState.EMPTY:
            return DatabaseBehind(
                "The database has no tables of leanbe-emitter yet.", hint=upgrade_hint
            )
        case SchemaState.BEHIND | SchemaState.CURRENT:
            return DatabaseBehind(
                f"The database is at revision {schema.revision}; "
                f"this program needs {schema.newest}.",
                hint=upgrade_hint,
            )
        case SchemaState.NEWER:
            return DatabaseBehind(
                f"The database is at revision {schema.revision}, "
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
    """Migrate up to a revision. Other processes wait, and then find it done.

    Raises:
        DatabaseBehind: the tables are newer than this program, or another program's.
        DatabaseUnavailable: the database cannot be opened or written.
    """
    from alembic import command  # noqa: PLC0415 - its import takes a second

    with _migrating(database) as connection:
        schema = _schema(connection)
        if schema.state in {SchemaState.NEWER, SchemaState.FOREIGN}:
            raise not_ready(schema)
        command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Migrate down to a revision; ``base`` stands for no tables."""
    from alembic import command  # noqa: PLC0415 - its import takes a second

    with _migrating(database) as connection:
        command.downgrade(_config(connection), revision)


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    with driver_errors_as_ours(database.url), database.engine.begin() as connection:
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
        # Another process may have been faster. This transaction holds the write lock now.
        if _schema(session.connection()).state is SchemaState.CURRENT:
            return False
        _create_tables(session)
        return True


@cache
def _tables() -> bytes:
    """Return the bytes of a SQLite file with today's tables, all empty."""
    database = Database(":memory:")
    try:
        with database.transaction() as session:
            _create_tables(session)
        return database.image()
    finally:
        database.close()


def _create_tables(session: Session) -> None:
    # Imported late: most commands find the tables there, and some need no document tables.
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
