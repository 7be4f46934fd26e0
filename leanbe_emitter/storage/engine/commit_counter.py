"""Whether anybody has committed to a file of SQLite, as a number that changes when somebody has."""

import sqlite3
from typing import Any

from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.storage.engine.database import Database


class Commits:
    """Reads ``PRAGMA data_version`` on a connection of its own, which never writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None
        self._failures = database.failures

    def version(self) -> int | None:
        """Return the number; None while the file cannot be read. Nobody is waited for."""
        if self._failures != self._database.failures:
            # While one of its connections is open, a file that was read-only stays so for all.
            self._failures = self._database.failures
            self.close()
        try:
            if self._connection is None:
                self._connection = self._database.own_connection()
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
