"""A temporary folder for a block: it is deleted even if the process was killed.

Invariant: a folder has an owner exactly while a process holds the lock on the file in it. The
system releases the lock when the process ends, however it ends. The next process that needs a
folder deletes the folders without an owner.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: The start of a folder's name, and the name of the locked file in it.
_PREFIX = "leanbe-emitter-"
_LOCK = "goes-with-its-process.lock"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a temporary folder for the block, and delete this user's folders without an owner.

    Processes that were killed left those.
    """
    _remove_deserted(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name)
        unnamed = folder / "lock"
        with unnamed.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # The file gets its name after it is locked, so that the folder always has an owner.
            unnamed.rename(folder / _LOCK)
            yield folder


def _remove_deserted(place: Path) -> None:
    for path in place.glob(f"{_PREFIX}*/{_LOCK}"):
        folder = path.parent
        with suppress(OSError):  # it has an owner, is a link, or another process deletes it
            if folder.stat().st_uid != os.getuid():
                continue
            with path.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
