"""Another commit of the project in a folder of its own, to be measured by turns with this one.

Today's programs and measures run its product. Programs that know the product's inside are its own:
they are named in ``OWN``, and what they take and tell stays as it is, so that today's measures can
use those of an earlier commit.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from benchmarks import ROOT, environments

#: What a checkout brings itself: the programs that call the product's inner parts.
OWN: Final = frozenset(
    f"{name}.py"
    for name in (
        "checking",
        "embedded",
        "emitter",
        "engine",
        "filling",
        "multiplying",
        "queue_alone",
        "recording",
        "server",
    )
)
#: What today's programs need of the tests: a PostgreSQL server.
_OF_THE_TESTS: Final = ("postgresql.py", "ports.py")
_LOCK: Final = "requirements.lock"


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A tree of the project, and the interpreter that has what it needs.

    Attributes:
        name: how its rows are called.
        root: its folder.
        python: the interpreter.
    """

    name: str
    root: Path
    python: Path

    @classmethod
    def present(cls) -> Self:
        """Return the tree that this program belongs to."""
        return cls(name="this tree", root=ROOT, python=Path(sys.executable))

    @classmethod
    @contextmanager
    def of(cls, commit: str) -> Iterator[Self]:
        """Check a commit out into a folder that is gone when the block ends."""
        name = _git("rev-parse", "--short", f"{commit}^{{commit}}")
        with TemporaryDirectory(prefix="leanbe-against-") as folder:
            root = Path(folder).resolve() / "checkout"
            _git("worktree", "add", "--quiet", "--detach", str(root), name)
            try:
                _lay_over(root / "benchmarks")
                _add_server(root / "tests" / "support")
                yield cls(name=name, root=root, python=_python(root))
            finally:
                _git("worktree", "remove", "--force", str(root))


def _lay_over(programs: Path) -> None:
    """Put today's programs in the place of a checkout's, but for its own."""
    kept = {each.name: each.read_bytes() for each in programs.iterdir() if each.name in OWN}
    shutil.rmtree(programs)
    shutil.copytree(ROOT / "benchmarks", programs, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in kept.items():
        (programs / name).write_bytes(text)


def _add_server(support: Path) -> None:
    """Put today's PostgreSQL server beside a checkout's tests."""
    support.mkdir(parents=True, exist_ok=True)
    for name in _OF_THE_TESTS:
        shutil.copyfile(ROOT / "tests" / "support" / name, support / name)


def _python(root: Path) -> Path:
    """Return this interpreter where the locked versions are the same, else one of its own."""
    if (root / _LOCK).read_bytes() == (ROOT / _LOCK).read_bytes():
        return Path(sys.executable)
    return environments.made(Path(sys.executable), root=root)


def _git(*arguments: str) -> str:
    ran = subprocess.run(
        ["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return ran.stdout.strip()
