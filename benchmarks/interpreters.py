"""The Python of a run: its name, and how quick it is.

Builds of one version differ by half, and whether one is optimised cannot be read off it reliably;
so a loop of plain Python tells. ``python -m benchmarks.interpreters`` prints the quickest Python
that the machine has. It needs the standard library only.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: What the versions that the project supports are called.
_NAMES: Final = ("python3.14", "python3.13", "python3.12", "python3.11")
#: The word by which another interpreter is asked for its time.
_TIME: Final = "time"
_ROUNDS: Final = 7
_STEPS: Final = 200_000
_PATIENCE_SECONDS: Final = 60


def name() -> str:
    """Return this interpreter's name without a path: implementation, version, compiler."""
    implementation, version = platform.python_implementation(), platform.python_version()
    return f"{implementation} {version}, {platform.python_compiler()}"


def reference_ms() -> float:
    """Return how many milliseconds of CPU the reference loop takes; the quickest round counts."""
    return min(_loop_ms() for _ in range(_ROUNDS))


def quickest() -> Path:
    """Return the quickest Python of the machine by the reference loop."""
    return min(_times(), default=(0.0, Path(sys.executable)))[1]


def _loop_ms() -> float:
    started = time.process_time()
    counts: dict[int, int] = {}
    for step in range(_STEPS):
        key = step & 255
        counts[key] = counts.get(key, 0) + len(str(step))
    return (time.process_time() - started) * 1000


def _times() -> Iterator[tuple[float, Path]]:
    """Yield the time of each Python that is found and runs, and where it is."""
    for python in sorted(set(_found())):
        ran = subprocess.run(
            [python, __file__, _TIME],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        if ran.returncode == 0:
            yield float(ran.stdout), python


def _found() -> Iterator[Path]:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    for folder in folders:
        for each in _NAMES:
            if python := shutil.which(each, path=folder):
                yield Path(python).resolve()


if __name__ == "__main__":
    print(reference_ms() if _TIME in sys.argv else quickest())
