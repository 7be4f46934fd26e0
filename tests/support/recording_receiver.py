"""A receiver as a process: it writes every body into a file, one a line, and answers 204.

``python -m tests.support.recording_receiver FILE DELAY_MS`` prints the port that it listens on. It
writes each body before it answers, so the file contains every body that was delivered.
"""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.support.scripted_server import LENGTH
from tests.support.warm_process import START, process_class

ACCEPTED = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class _Counted:
    """The length of the counted part of the file."""

    bytes: int = 0
    requests: int = 0


@dataclass(frozen=True, kw_only=True)
class RecordingReceiver:
    """The receiver's process, as a test sees it."""

    url: str
    file: Path
    _counted: _Counted = field(default_factory=_Counted)

    @classmethod
    @contextmanager
    def running(cls, home: Path, *, delay_ms: int = 5) -> Iterator[Self]:
        """Run the process until the block ends; it waits a moment before each answer."""
        file = home / "bodies"
        file.touch()
        command = [*START, "tests.support.recording_receiver", str(file), str(delay_ms)]
        process = process_class(command, os.environ)(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield cls(url=f"http://127.0.0.1:{port}/hooks/leanbe", file=file)
        finally:
            process.kill()
            process.communicate()

    def bodies(self) -> Counter[bytes]:
        """Return how often each body arrived."""
        return Counter(self.file.read_bytes().splitlines())

    def count(self) -> int:
        """Return the number of requests that arrived."""
        with self.file.open("rb") as file:
            file.seek(self._counted.bytes)
            piece = file.read()
        self._counted.bytes += len(piece)
        self._counted.requests += piece.count(b"\n")
        return self._counted.requests


class _Connection(asyncio.Protocol):
    """One connection; its requests come one after the other."""

    transport: asyncio.Transport

    def __init__(self, file: int, delay_seconds: float) -> None:
        self._file = file
        self._delay_seconds = delay_seconds
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, rest = self._read.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or length is None or len(rest) < int(length[1]):
            return
        self._read = b""
        os.write(self._file, rest + b"\n")
        loop = asyncio.get_running_loop()
        loop.call_later(self._delay_seconds, self.transport.write, ACCEPTED)


async def _serve(file: Path, delay_ms: int) -> None:
    kept = os.open(file, os.O_WRONLY | os.O_APPEND)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(kept, delay_ms / 1000), "127.0.0.1", 0, backlog=512
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
