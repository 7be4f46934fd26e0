"""A server as a child process of our own program: it ends with the process that started it.

A killed process cannot stop its children. But the end of the stdin that it gave them tells them to
stop.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, ClassVar

from leanbe_emitter.errors import LeanbeError

#: How long a process may take to stop, in seconds: 5 for its clients, 10 for receivers, and the
#: rest to settle its deliveries.
STOP_SECONDS = 20


class ServerUnavailable(LeanbeError):
    """A server did not begin to answer after its start, or does not answer any more."""

    code: ClassVar[str] = "server_unavailable"


@dataclass(frozen=True, kw_only=True)
class ServerProcess:
    """A running server.

    Attributes:
        url: the server's URL.
        db: the URL of its database.
        token: the token that clients must send; None: no token is needed.
        pid: the id of its process.
    """

    url: str
    db: str
    token: str | None = field(repr=False)
    pid: int
    _process: "subprocess.Popen[str]" = field(repr=False)

    def has_ended(self) -> bool:
        """Say whether the server has ended by itself."""
        return self._process.poll() is not None


@contextmanager
def running_server(*, stderr: IO[bytes] | None = None) -> Iterator[ServerProcess]:
    """Start a server with a temporary database and a manual clock; stop it after the block.

    It listens at a free port.

    Args:
        stderr: the file for its notices and its log; None: the stderr of this process.

    Raises:
        ServerUnavailable: the server ended at once; its own output says why.
    """
    # On the loopback, whatever the environment says: only the starting process uses this server.
    place = ("--ephemeral", "--host", "127.0.0.1", "--port", "0", "--clock", "manual")
    arguments = ("serve", *place, "--output", "json", "--quiet", "--until-eof")
    with running_command(*arguments, stderr=stderr) as (process, line):
        if not line:
            raise ServerUnavailable("The server did not start.", hint="Its output above says why.")
        yield ServerProcess(**json.loads(line), _process=process)


@contextmanager
def running_command(
    *arguments: str, environ: Mapping[str, str] | None = None, stderr: IO[bytes] | None = None
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run a command of our own program until the block ends; yield its process and first line.

    The line is empty if the command ended at once. The command's stdin ends with this process.

    Args:
        arguments: the command and its options.
        environ: variables besides those of this process.
        stderr: the file for its notices; None: the stderr of this process.
    """
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "leanbe_emitter", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, **(environ or {})},
        text=True,
        # Ctrl-C does not reach it: it ends when the process that started it has ended.
        start_new_session=True,
    ) as process:
        try:
            yield process, process.stdout.readline() if process.stdout else ""
        finally:
            stop(process)


def stop(process: "subprocess.Popen[str]") -> None:
    """Tell a process to end, and kill it if it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
