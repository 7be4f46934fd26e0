"""A virtual environment with the wheel, its dependencies and a user's packages, and nothing else.

Nothing is downloaded: dependencies are linked from the tests' environment, as far as the packages'
metadata names them. So an undeclared dependency is missing here.
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
        folder: the folder to create.
        wheel: the project's wheel to install.
        packages: names of further packages that the user installs.
    """

    def __init__(self, folder: Path, *, wheel: Path, packages: tuple[str, ...]) -> None:
        self._python = folder / "bin" / "python"
        _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        (site,) = folder.glob("lib/*/site-packages")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        for each in _needed("leanbe-emitter", *packages):
            if each.name != "leanbe-emitter":
                link_distribution(each, site)

    def pytest(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run ``pytest`` in a folder."""
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
    """Yield the distributions of these names and all their dependencies."""
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


def link_distribution(found: Distribution, site: Path) -> None:
    """Link the top-level files and folders of a distribution into a site-packages folder."""
    for top in {path.parts[0] for path in found.files or () if path.parts[0] != ".."}:
        target = site / top
        if top != "__pycache__" and not target.exists():
            target.symlink_to(Path(str(found.locate_file(top))))
