"""The file of a SQLite database: created for its user only, and still the one that was opened.

Files contain secrets and payloads, so only their user can read new ones. A file that exists keeps
its mode. SQLite gives the files beside it (``-wal``, ``-shm``) its mode.

Somebody may delete or replace a file that is open. Its old content then lives on for those who have
it open, and vanishes with the last of them: what they write is lost. So no transaction begins on a
connection to such a file. The engine opens the file that is there now, and creates none where there
is none.
"""

import os
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

from leanbe_emitter.errors import DatabaseUnavailable

_FOR_ITS_USER_ONLY = 0o600
#: Values of ``mode`` in a ``file:`` URL with which SQLite creates the file.
_CREATING_MODES = frozenset({"", "rwc"})


def create_private_file(
    _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
) -> None:
    """Create the file that SQLAlchemy is about to open, if it does not exist.

    It listens to the event ``do_connect``. SQLite itself would create the file with mode 0644, or
    what the umask leaves of it.
    """
    name = str(arguments[0])
    path = _path_of(name) if options.get("uri") else name
    if not path or os.path.exists(path):  # noqa: PTH110 - at each connection
        return
    # Never an existing file: to close it would release SQLite's locks on it. A link to no file has
    # to be followed by us, as O_EXCL refuses it. SQLite reports what is wrong with a path.
    with suppress(OSError):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        os.close(os.open(os.path.realpath(path), flags, _FOR_ITS_USER_ONLY))


def _path_of(url: str) -> str:
    """Return the path of a ``file:`` URL; empty if SQLite would create no file for it."""
    parts = urlsplit(url)
    mode = parse_qs(parts.query).get("mode", [""])[-1]
    return unquote(parts.path) if mode in _CREATING_MODES else ""


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
