"""A process that prints what it was started with, as JSON: what could tell a fork from a start."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)


def main() -> None:
    """Print the facts; arguments are part of them."""
    facts = {
        "arguments": sys.argv[1:],
        "name": __name__,
        "folder": str(Path.cwd()),
        "first place of imports": sys.path[0],
        "variables": dict(os.environ),
        "open files": len(list(Path("/proc/self/fd").iterdir())),
        "signals": [str(signal.getsignal(each)) for each in _SIGNALS],
        "threads": threading.active_count(),
        "warnings": sys.warnoptions,
        "stdin": sys.stdin.read(),
        "streams": [
            [each.encoding, each.errors, each.line_buffering, each.seekable()]
            for each in (sys.stdin, sys.stdout, sys.stderr)
        ],
    }
    sys.stdout.write(json.dumps(facts))
    sys.exit(7)


if __name__ == "__main__":
    main()
