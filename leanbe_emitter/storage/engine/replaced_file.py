"""The check that a SQLite file is still the one that was opened.

Somebody may delete or replace a file that is open. Its old content then lives on for those who have
it open, and vanishes with the last of them: what they write is lost. So no transaction begins on a
connection to such a file. The engine opens the file that is there now, and creates none where there
is none.
"""

import os
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

from leanbe_emitter.errors import DatabaseUnavailable

#: Under this key, each connection notes the device and the inode of the file that it opened.
_OPENED = "leanbe_opened"
#: The identity of a database in memory, which a URL can name in a file's form.
_IN_MEMORY = (0, 0)


class ReplacedFileCheck:
    """Checks that every connection of an engine is to the file that is there now."""

    def __init__(self) -> None:
        #: Known as soon as a connection has opened the file.
        self._path = ""

    def install(self, engine: Engine) -> None:
        """Check the connections of an engine from now on."""
        event.listen(engine, "do_connect", self._on_connecting)
        event.listen(engine, "connect", self._on_connected)
        event.listen(engine, "checkout", self._on_checkout)

    def _on_connecting(self, *_: object) -> None:
        if self._identity() is None:
            raise DatabaseUnavailable(
                f"The file {self._path} was there and is gone.",
                hint="Put it back, or start again: nothing was changed.",
            )

    def _on_connected(self, connection: Any, record: Any) -> None:
        ((_, _, self._path),) = connection.execute("PRAGMA database_list").fetchall()
        record.info[_OPENED] = self._identity()

    def _on_checkout(self, _connection: object, record: Any, _proxy: object) -> None:
        identity = self._identity()
        if identity is None or identity != record.info[_OPENED]:
            # The pool drops all its connections, and opens a new one.
            raise InvalidatePoolError

    def _identity(self) -> tuple[int, int] | None:
        """Return the device and the inode of the file; None where there is no file."""
        if not self._path:
            return _IN_MEMORY
        try:
            found = os.stat(self._path)  # noqa: PTH116 - at each transaction: a Path takes longer
        except OSError:
            return None
        return found.st_dev, found.st_ino
