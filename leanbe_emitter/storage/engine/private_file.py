"""New SQLite files, which only their user can read: they contain secrets and payloads.

A file that exists keeps its mode. SQLite gives the files beside it (``-wal``, ``-shm``) its mode.
"""

import os
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

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
