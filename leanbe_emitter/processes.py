"""Processes of our own program that another one starts: they end with whoever started them.

Whoever is killed cannot end them: but then their stdin ends, and they end with it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, ClassVar

from leanbe_emitter.errors import LeanbeError

#: How long one may take to end when it is told to, in seconds: 5 for callers, 10 for receivers, and
#: what it settles then.
STOP_SECONDS = 20


class ServerUnavailable(LeanbeError):
    """A server that was started did not begin to answer, or does not any more."""

    code: ClassVar[str] = "server_unavailable"


@dataclass(frozen=True, kw_only=True)
class ServerProcess:
    """A server that answers.

    Attributes:
        url: where it listens.
        db: the URL of its database.
        token: what callers have to show; None: nothing.
        pid: its process.
    """

    url: str
    db: str
    token: str | None = field(repr=False)
    pid: int
    _process: "subprocess.Popen[str]" = field(repr=False)

    def has_ended(self) -> bool:
        """Say whether it has, before it was told to."""
        return self._process.poll() is not None


@contextmanager
def running_server(*, stderr: IO[bytes] | None = None) -> Iterator[ServerProcess]:
    """Start a server on a free port and a database that goes with it; stop it after the block.

    Args:
        stderr: where its notices and its log go; None: to this process's own.

    Raises:
        ServerUnavailable: it ended at once; its own lines say why.
    """
    # At the loopback, wherever the environment lets servers listen: it is its starter's alone.
    place = ("--ephemeral", "--host", "127.0.0.1", "--port", "0")
    arguments = ("serve", *place, "--output", "json", "--quiet", "--until-eof")
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "leanbe_emitter", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        # Ctrl-C is not for it: it goes when whoever started it has ended.
        start_new_session=True,
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise ServerUnavailable("The server did not start.", hint="Its own lines say why.")
            yield ServerProcess(**json.loads(line), _process=process)
        finally:
            stop(process)


def stop(process: "subprocess.Popen[str]") -> None:
    """Tell a process to end, and see to it that it does."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
