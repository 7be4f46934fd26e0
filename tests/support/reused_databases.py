"""PostgreSQL databases that tests use one after the other, each as if it were new.

PostgreSQL needs a third of a second to create a database, and a twentieth of that to empty one. A
database is used again only under four conditions: no connection of its test is left, it has not
grown, and its schema, settings and statistics are unchanged. Otherwise it is dropped.

The connection that empties a database stays open: a new one would read the whole catalogue again.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg

from leanbe_emitter.storage.schema.document_tables import METADATA
from tests.support.postgresql import Cluster
from tests.support.waiting import wait_until

#: Growth that means that a database is not as new, in bytes.
_GROWN = 4_000_000

_OTHERS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SIZE = "SELECT pg_database_size(current_database())"
#: Schema, settings and statistics of a database: everything except its rows.
_FINGERPRINT = """
SELECT array_agg(each ORDER BY each) FROM (
    SELECT concat_ws(' ', oid, relname, relacl, reloptions, reltuples) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', attrelid, attname, atttypid, attnotnull, atthasdef) FROM pg_attribute
    WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION ALL SELECT concat_ws(' ', oid, conname) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', oid, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT concat_ws(' ', oid, proname) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', oid, nspname) FROM pg_namespace WHERE nspname !~ '^pg_'
    UNION ALL SELECT concat_ws(' ', setdatabase, setrole, setconfig) FROM pg_db_role_setting
) AS parts (each)
"""
_REVISION = "SELECT version_num FROM alembic_version"
#: Makes the statement that sets the sequences to their present values.
_REWIND = """
SELECT string_agg(
    format(
        'SELECT setval(%L, %s, %L)',
        schemaname || '.' || sequencename,
        coalesce(last_value, start_value),
        last_value IS NOT NULL
    ),
    ';'
) FROM pg_sequences
"""
#: Foreign keys are not checked, as no row is left that could violate one.
_EMPTY = ";".join(
    [
        "SET session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in METADATA.tables),  # noqa: S608 - names of our tables
    ]
)

#: Schema, settings, statistics and revision of a database.
_Fingerprint = tuple[object, object]


@dataclass(frozen=True, kw_only=True)
class _EmptyDatabase:
    """A database with the current tables.

    Attributes:
        connection: empties the database, and looks at it.
        drops: drops the database when it is closed.
        fingerprint: schema, settings and statistics of the new database.
        rewind: statement that resets its sequences.
        size: its size when it was new, in bytes.
    """

    url: str
    connection: psycopg.Connection
    drops: ExitStack
    fingerprint: _Fingerprint
    rewind: str
    size: int


@dataclass(frozen=True)
class Databases:
    """The databases of one worker of the run, with the current tables and no rows.

    Args:
        cluster: the cluster of the databases.
        patience_seconds: how long closing connections may take.
    """

    cluster: Cluster
    patience_seconds: float = 0.5
    _free: list[_EmptyDatabase] = field(default_factory=list)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Take a database for the block; yield its URL."""
        made = self._free.pop() if self._free else self._new()
        try:
            yield made.url
        finally:
            if _is_as_new(made, patience_seconds=self.patience_seconds):
                self._free.append(made)
            else:
                made.drops.close()

    def drop(self) -> None:
        """Drop the databases that no test uses."""
        while self._free:
            self._free.pop().drops.close()

    def _new(self) -> _EmptyDatabase:
        drops = ExitStack()
        url = drops.enter_context(self.cluster.migrated_database())
        connection = psycopg.connect(url, autocommit=True)
        drops.callback(connection.close)
        return _EmptyDatabase(
            url=url,
            connection=connection,
            drops=drops,
            fingerprint=_fingerprint(connection),
            rewind=_one(connection, _REWIND),
            size=_one(connection, _SIZE),
        )


def _is_as_new(made: _EmptyDatabase, *, patience_seconds: float) -> bool:
    """Empty a database; say whether it is then as it was when it was new."""
    connection = made.connection
    try:
        is_free = _has_no_connections(connection, patience_seconds=patience_seconds)
        if not is_free or _fingerprint(connection) != made.fingerprint:
            return False
        connection.execute(f"{_EMPTY};{made.rewind}".encode())
        return bool(_one(connection, _SIZE) < made.size + _GROWN)
    except psycopg.Error:  # its tables are gone, another connection holds them, or this one is lost
        return False


def _has_no_connections(connection: psycopg.Connection, *, patience_seconds: float) -> bool:
    """Say whether all other connections have closed; a closing one may take a moment."""
    try:
        wait_until(
            lambda: _one(connection, _OTHERS) == 0,
            "all other connections have closed",
            patience_seconds=patience_seconds,
        )
    except AssertionError:
        return False
    return True


def _fingerprint(connection: psycopg.Connection) -> _Fingerprint:
    return _one(connection, _FINGERPRINT), _one(connection, _REVISION)


def _one(connection: psycopg.Connection, statement: LiteralString) -> Any:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]
