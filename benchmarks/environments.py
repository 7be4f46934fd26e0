"""The environment of a run: all that the project locks, and what the benchmarks compare with.

There is one for each version of Python, ``.venv-bench-3.13`` for example. It is made when it is
missing, and made anew when the interpreter or a lock has changed.
"""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

from benchmarks import ROOT

_LOCKS: Final = ("requirements.lock", "requirements-bench.lock")
_VERSION: Final = "import sys; print('%d.%d' % sys.version_info[:2], sys._base_executable)"


def enter(python: Path, arguments: list[str]) -> None:
    """Go on in the environment of an interpreter; return only where this is it already.

    Args:
        python: the interpreter, a path or a name that the shell would find.
        arguments: what this program was called with.
    """
    executable = made(python)
    if Path(sys.prefix) != executable.parent.parent:
        command = [str(executable), "-m", "benchmarks", *arguments]
        os.execve(executable, command, os.environ | variables(ROOT))  # noqa: S606 - no shell is wanted


def made(python: Path, *, root: Path = ROOT) -> Path:
    """Return the interpreter of the environment for another one and the locks of a checkout."""
    version, base = _told(python)
    folder = root / f".venv-bench-{version}"
    state = _state(base, root)
    stamp = folder / ".synced"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != state:
        _make(folder, base, root)
        stamp.write_text(state, encoding="utf-8")
    return folder / "bin" / "python"


def compile_bytecode(python: Path, root: Path) -> None:
    """Write the bytecode of a checkout: no figure is to hold a compilation."""
    folders = [root / name for name in ("leanbe_emitter", "benchmarks", "tests")]
    subprocess.run([python, "-m", "compileall", "-q", "-j", "0", *folders], check=True)


def variables(root: Path) -> dict[str, str]:
    """Return the variables by which processes import the product of a checkout."""
    return {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": ""}


def _told(python: Path) -> tuple[str, str]:
    told = subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=True)
    version, _, base = told.stdout.strip().partition(" ")
    return version, base


def _locks(root: Path) -> list[Path]:
    """Return the checkout's own lock, and today's of what we compare with."""
    return [root / _LOCKS[0], ROOT / _LOCKS[1]]


def _state(base: str, root: Path) -> str:
    digests = [sha256(lock.read_bytes()).hexdigest() for lock in _locks(root)]
    return "\n".join([base, *digests])


def _make(folder: Path, base: str, root: Path) -> None:
    sys.stderr.write(f"Setting up {folder.name}: the versions of the locks, checked by hash\n")
    uv = ROOT / ".venv" / "bin" / "uv"
    python = folder / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", base, folder], check=True)
    options = ("--quiet", "--compile-bytecode", "--require-hashes", "--python", python)
    subprocess.run([uv, "pip", "sync", *options, *_locks(root)], check=True)
