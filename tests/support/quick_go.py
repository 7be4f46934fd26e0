"""Go that compiles quickly: what tests compile runs for a second, and need not be optimised.

Go compiles its libraries once for all programs with the same options. The first test of a run that
needs Go does that, under a lock: tests that begin at the same time would each compile them.
"""

import fcntl
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

#: Neither optimised, nor with anything for debuggers, nor through a C compiler; and the compiler
#: rarely looks for garbage. That is half of the work.
_VARIABLES: Mapping[str, str] = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "'-gcflags=all=-N -l -dwarf=false' -ldflags=-w",
    "GOGC": "400",
}
#: What all other libraries of the programs are part of.
_LIBRARIES = ("net/http", "net/http/httptest")


def use_quick_go(folder: Path) -> None:
    """Set Go's variables for all processes of the tests, and see that its libraries are compiled.

    Args:
        folder: the folder of the run.
    """
    os.environ.update(_VARIABLES)
    compiled = folder / "go.compiled"
    with (folder / "go.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not compiled.exists():
            subprocess.run(["go", "build", *_LIBRARIES], cwd=folder, check=True)
            compiled.touch()
