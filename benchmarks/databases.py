"""The databases of a run: filled once, and copied for each measurement, so that all begin alike.

PostgreSQL runs with the settings that it comes with: a commit is on disk when it returns. SQLite is
as the product opens it.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

from leanbe_emitter import Leanbe
from tests.support.postgresql import Cluster

#: What is said of the server beyond its defaults: nothing about how safe a commit is.
_SETTINGS = {"max_connections": "100", "unix_socket_directories": "''"}

Fill = Callable[[str], None]


class Store(Protocol):
    """A place for databases; ``fill`` is given the URL of one that has today's tables."""

    name: str

    @contextmanager
    def filled(self, fill: Fill) -> Iterator[str]:
        """Make a database, fill it, and yield its URL; it is gone when the block ends."""
        ...

    @contextmanager
    def copied(self, key: str, fill: Fill) -> Iterator[str]:
        """Copy the database of that key, which is filled the first time, and yield its URL."""
        ...


class SqliteStore:
    """Files in one folder."""

    name = "SQLite"

    def __init__(self, home: Path) -> None:
        self._home = home

    @contextmanager
    def filled(self, fill: Fill) -> Iterator[str]:
        """Make a file, fill it, and yield its URL."""
        with self._folder() as folder:
            yield _filled(f"sqlite:///{folder / 'filled.db'}", fill)

    @contextmanager
    def copied(self, key: str, fill: Fill) -> Iterator[str]:
        """Copy the file of that key."""
        original = self._home / f"{key}.db"
        if not original.exists():
            _filled(f"sqlite:///{original}", fill)
        with self._folder() as folder:
            shutil.copyfile(original, folder / "copied.db")
            yield f"sqlite:///{folder / 'copied.db'}"

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._home) as folder:
            yield Path(folder)


class PostgresqlStore:
    """Databases of one cluster of our own."""

    name = "PostgreSQL"

    def __init__(self, cluster: Cluster, stack: ExitStack) -> None:
        self._cluster = cluster
        self._stack = stack
        self._originals: dict[str, str] = {}

    @contextmanager
    def filled(self, fill: Fill) -> Iterator[str]:
        """Make a database, fill it, and yield its URL."""
        with self._cluster.migrated_database() as url:
            yield _filled(url, fill)

    @contextmanager
    def copied(self, key: str, fill: Fill) -> Iterator[str]:
        """Copy the database of that key."""
        if key not in self._originals:
            url = self._stack.enter_context(self._cluster.migrated_database())
            self._originals[key] = str(make_url(_filled(url, fill)).database)
        with self._cluster.database(template=self._originals[key]) as url:
            yield url


@contextmanager
def stores() -> Iterator[tuple[SqliteStore, PostgresqlStore]]:
    """Make a folder and a cluster, and leave nothing behind."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leanbe-benchmarks-")))
        cluster = Cluster(home, settings=_SETTINGS)
        stack.callback(cluster.stop)
        cluster.start()
        databases = stack.enter_context(ExitStack())
        yield SqliteStore(home), PostgresqlStore(cluster, databases)


def _filled(url: str, fill: Fill) -> str:
    with Leanbe(url):
        pass  # whoever opens a new file makes its tables
    fill(url)
    if not url.startswith("sqlite"):
        _tidy(url)
    return url


def read(db: str, statement: str) -> list[tuple[Any, ...]]:
    """Return the rows of a statement by the driver alone: no part of the product is asked."""
    if db.startswith("sqlite"):
        with closing(sqlite3.connect(str(make_url(db).database))) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(db) as server:
        return server.execute(statement.encode()).fetchall()


def _tidy(url: str) -> None:
    """Do what the server's own housekeeping does a while after so many rows have come."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
