"""A number that changes whenever somebody has committed to a SQLite file."""

import sqlite3
from typing import Any

from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.storage.engine.database import Database


class CommitCounter:
    """Reads ``PRAGMA data_version`` on a connection of its own, which never writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None
        self._failures = database.failures

    def version(self) -> int | None:
        """Return the number; None while the file cannot be read. This never waits."""
        if self._failures != self._database.failures:
            # A file that was opened read-only stays so until all its connections are closed.
            self._failures = self._database.failures
            self.close()
        try:
            if self._connection is None:
                self._connection = self._database.new_driver_connection()
                self._connection.execute("PRAGMA busy_timeout = 0")
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except (DatabaseUnavailable, sqlite3.Error):
            self.close()
            return None
        return version

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
