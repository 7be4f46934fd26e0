"""Databases that tests of the command line begin with: the first fills one, the others copy it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Fills the database of a test's folder.

    Attributes:
        folder: the test's folder.
        kept: the folder of the databases that tests have filled.
    """

    folder: Path
    kept: Path

    def database(self, name: str, fill: Callable[[], object]) -> None:
        """Begin with the database of that name; ``fill`` makes it if no test has before."""
        kept, file = self.kept / name, self.folder / "leanbe-emitter.db"
        if kept.exists():
            shutil.copyfile(kept, file)
        else:
            fill()
            shutil.copyfile(file, kept)
