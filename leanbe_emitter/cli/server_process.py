"""A server as a process of its own, on a free port and a database that goes with it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from leanbe_emitter.cli.exits import Failed
from leanbe_emitter.cli.processes import stop


@dataclass(frozen=True, kw_only=True)
class ServerProcess:
    """A server that answers.

    Attributes:
        url: where it listens.
        db: the URL of its database.
    """

    url: str
    db: str


@contextmanager
def server_started() -> Iterator[ServerProcess]:
    """Start a server; stop it at the end of the block.

    What it has to say stands on stderr.

    Raises:
        Failed: it did not start.
    """
    arguments = ("serve", "--ephemeral", "--port", "0", "--output", "json", "--quiet")
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "leanbe_emitter", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for the command; the server goes when that has ended.
        start_new_session=True,
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise Failed("The server did not start.", hint="Its own lines say why.")
            ready = json.loads(line)
            yield ServerProcess(url=ready["url"], db=ready["db"])
        finally:
            stop(process)
