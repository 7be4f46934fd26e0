"""PostgreSQL databases that tests have one after the other, each as if it were new.

PostgreSQL works a third of a second to make one, and a twentieth of that to empty one. A database
is used again only if nobody is connected any more, who could come back, if it has not grown, and if
its schema, its settings and what is known of its rows are as they were made: else it is dropped.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg

from leanbe_emitter.storage.schema.document_tables import METADATA
from tests.support.postgresql import Cluster
from tests.support.waiting import wait_until

#: More than a test's rows leave behind, in bytes.
_GROWN = 4_000_000

_OTHERS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SIZE = "SELECT pg_database_size(current_database())"
#: All that makes it what it is but the rows of its tables; what ANALYZE found is among it.
_MAKE = """
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
#: What sets its sequences to where they are.
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
#: Foreign keys are not looked at: no row is left that could point anywhere.
_EMPTY = ";".join(
    [
        "SET session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in METADATA.tables),  # noqa: S608 - our own words
    ]
)

#: What a database is made of, beside its rows.
_Make = tuple[object, object]


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A database with today's tables.

    Attributes:
        drops: drops it, when it is closed.
        make: what it was made of.
        rewind: sets its sequences to where they were.
        size: how large it was, in bytes.
    """

    url: str
    drops: ExitStack
    make: _Make
    rewind: str
    size: int


@dataclass(frozen=True)
class Databases:
    """The databases of one worker of the run, which have today's tables and no rows.

    Args:
        cluster: where they are.
        patience_seconds: how long those that close their connection may take to be gone.
    """

    cluster: Cluster
    patience_seconds: float = 0.5
    _free: list[_Made] = field(default_factory=list)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Take one for the block; yield its URL."""
        made = self._free.pop() if self._free else self._new()
        try:
            yield made.url
        finally:
            if _is_as_new(made, patience_seconds=self.patience_seconds):
                self._free.append(made)
            else:
                made.drops.close()

    def drop(self) -> None:
        """Drop those that nobody has."""
        while self._free:
            self._free.pop().drops.close()

    def _new(self) -> _Made:
        drops = ExitStack()
        url = drops.enter_context(self.cluster.migrated_database())
        with psycopg.connect(url) as connection:
            return _Made(
                url=url,
                drops=drops,
                make=_make(connection),
                rewind=_one(connection, _REWIND),
                size=_one(connection, _SIZE),
            )


def _is_as_new(made: _Made, *, patience_seconds: float) -> bool:
    """Empty a database; say whether that made it what it was."""
    try:
        with psycopg.connect(made.url, autocommit=True) as connection:
            is_left = _is_left(connection, patience_seconds=patience_seconds)
            if not is_left or _make(connection) != made.make:
                return False
            connection.execute(f"{_EMPTY};{made.rewind}".encode())
            return bool(_one(connection, _SIZE) < made.size + _GROWN)
    except psycopg.Error:  # its tables are gone, or somebody came back and holds them
        return False


def _is_left(connection: psycopg.Connection, *, patience_seconds: float) -> bool:
    """Say whether all others are gone; those that just closed their connection are in a moment."""
    try:
        wait_until(
            lambda: _one(connection, _OTHERS) == 0,
            "all have gone",
            patience_seconds=patience_seconds,
        )
    except AssertionError:
        return False
    return True


def _make(connection: psycopg.Connection) -> _Make:
    return _one(connection, _MAKE), _one(connection, _REVISION)


def _one(connection: psycopg.Connection, statement: LiteralString) -> Any:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]
