"""A file of SQLite is the one that was opened: what is written to another one is lost.

A file that somebody deletes or replaces stays with whoever has it open, and ends with the last of
them. So no transaction begins on a connection to such a file: the one that is there by then is
opened, and none is made where there is none.
"""

import os
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

from leanbe_emitter.errors import DatabaseUnavailable

#: What each connection notes of the file that it opened: device and inode.
_OPENED = "leanbe_opened"
#: What a URL may say that has a file's form.
_IN_MEMORY = (0, 0)


class SameFile:
    """Sees to it that all connections of an engine are to the file that is there now."""

    def __init__(self) -> None:
        #: Is known once it was opened.
        self._path = ""

    def watch(self, engine: Engine) -> None:
        """Let it see to the connections of an engine."""
        event.listen(engine, "do_connect", self._opening)
        event.listen(engine, "connect", self._opened)
        event.listen(engine, "checkout", self._taken)

    def _opening(self, *_: object) -> None:
        if self._identity() is None:
            raise DatabaseUnavailable(
                f"The file {self._path} was there and is gone.",
                hint="Put it back, or start again: nothing was changed.",
            )

    def _opened(self, connection: Any, record: Any) -> None:
        ((_, _, self._path),) = connection.execute("PRAGMA database_list").fetchall()
        record.info[_OPENED] = self._identity()

    def _taken(self, _connection: object, record: Any, _proxy: object) -> None:
        there = self._identity()
        if there is None or there != record.info[_OPENED]:
            # The pool lets go of all that it has, and opens another.
            raise InvalidatePoolError

    def _identity(self) -> tuple[int, int] | None:
        """Return what tells this file from all others; None where it is not there."""
        if not self._path:
            return _IN_MEMORY
        try:
            found = os.stat(self._path)  # noqa: PTH116 - at each transaction: a Path takes longer
        except OSError:
            return None
        return found.st_dev, found.st_ino
