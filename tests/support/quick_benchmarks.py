"""A quick run of the benchmarks, with forked children: to import costs more than what they do."""

import subprocess
from collections.abc import Sequence
from typing import Any

from benchmarks import processes
from benchmarks.__main__ import main
from tests.support.warm_process import process_class, stop_warm_pythons


def _forked(command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    return process_class(command, options["env"])(command, **options)


if __name__ == "__main__":
    processes.start_process = _forked
    try:
        main()
    finally:
        stop_warm_pythons()
