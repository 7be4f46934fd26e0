"""A virtual environment that has the wheel, what it needs, and what a user adds: nothing else.

Nothing is downloaded: what it needs is linked from where the tests run, as far as the metadata of
the packages name it. So a dependency that is not declared is missing here, too.
"""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.support.command_line import environment_without_pytest

NO_EXTRA = {"extra": ""}


class FreshVenv:
    """A virtual environment in a folder.

    Args:
        folder: where it is made.
        wheel: the project's wheel, which is installed.
        packages: what else the user installs, by name.
    """

    def __init__(self, folder: Path, *, wheel: Path, packages: tuple[str, ...]) -> None:
        self._python = folder / "bin" / "python"
        _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        (site,) = folder.glob("lib/*/site-packages")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        for each in _needed("leanbe-emitter", *packages):
            if each.name != "leanbe-emitter":
                link(each, site)

    def pytest(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Type ``pytest`` in a folder."""
        return subprocess.run(
            [str(self._python), "-m", "pytest"],
            cwd=folder,
            env=environment_without_pytest(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _needed(*names: str) -> Iterator[Distribution]:
    """Yield the distributions of these names, and of all that they need here."""
    seen, left = set[str](), list(names)
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        found = distribution(name)
        yield found
        asked = map(Requirement, found.requires or ())
        left += [each.name for each in asked if not each.marker or each.marker.evaluate(NO_EXTRA)]


def link(found: Distribution, site: Path) -> None:
    """Link what a distribution has in its site-packages, by the first part of each path."""
    for top in {path.parts[0] for path in found.files or () if path.parts[0] != ".."}:
        target = site / top
        if top != "__pycache__" and not target.exists():
            target.symlink_to(Path(str(found.locate_file(top))))
