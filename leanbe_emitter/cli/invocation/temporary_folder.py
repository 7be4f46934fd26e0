"""Folders that go with whoever made them, at the latest when the next one is made.

Invariant: a folder has an owner exactly as long as a process holds the lock of the file in it; the
system takes that away with the process, however it ends.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: What a folder is called, and the file in it by which it is one of these.
_PREFIX = "leanbe-emitter-"
_LOCK = "goes-with-its-process.lock"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a temporary folder for the block, and remove those of this user whose makers are gone.

    Who was killed could not remove his own.
    """
    _remove_deserted(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name)
        unnamed = folder / "lock"
        with unnamed.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # It has its name when it is held, so that nobody takes the folder for deserted.
            unnamed.rename(folder / _LOCK)
            yield folder


def _remove_deserted(place: Path) -> None:
    for path in place.glob(f"{_PREFIX}*/{_LOCK}"):
        folder = path.parent
        with suppress(OSError):  # it has an owner, is a link, or somebody else removes it
            if folder.stat().st_uid != os.getuid():
                continue
            with path.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
