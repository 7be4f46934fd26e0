"""The receiver, a process of its own: it reads requests, says 204, and counts. Or never answers.

Bare asyncio, so that it costs as little as a receiver in Python can: it looks for the end of the
head and for the length of the body, and at nothing else. It imports the standard library only.
"""

import asyncio
import json
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.processes import Child, options, say

_ACCEPTED = b"HTTP/1.1 204 No Content\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
#: The number of an event in its payload: the only ``_id`` that an envelope of ours begins with.
_NUMBER = re.compile(rb'"_id":"0*(\d+)"')
#: What a receiver is warmed with.
_WARM_UP_REQUESTS, _WARM_UP_CONNECTIONS = 6_000, 64


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """The receiver as a measure sees it."""

    child: Child
    url: str

    @classmethod
    @contextmanager
    def running(
        cls, *, port: int, warm: bool = False, answers: bool = True, notes: bool = False
    ) -> Iterator[Self]:
        """Run one until the block ends.

        Args:
            port: where it listens.
            warm: whether it has served another client before.
            answers: whether it answers, ever.
            notes: whether it notes when each event came.
        """
        how = {"port": port, "answers": answers, "notes": notes}
        with Child.running("receiver", how) as child:
            if warm:
                asyncio.run(_warm_up(port))
                child.ask("forget")
            yield cls(child=child, url=url_of(port))

    def state(self) -> dict[str, Any]:
        """Return how many requests came, and when the first and the last did.

        The instants are those of ``time.perf_counter``, which all processes of a machine share.
        """
        return self.child.ask("state")

    def arrivals(self) -> dict[int, float]:
        """Return when each event came, by its number."""
        return {int(number): at for number, at in self.child.ask("arrivals").items()}


def url_of(port: int) -> str:
    """Return the URL of a receiver at a port of this machine."""
    return f"http://127.0.0.1:{port}/hooks/leanbe"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class _Seen:
    """The requests since it was told to forget."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.count = 0
        self.first = self.last = 0.0
        self.arrivals: dict[int, float] = {}

    def state(self) -> dict[str, Any]:
        return {"count": self.count, "first": self.first, "last": self.last}


class _Connection(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, seen: _Seen, *, answers: bool, notes: bool) -> None:
        self._seen = seen
        self._answers = answers
        self._notes = notes
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._read + data if self._read else data
        while data:
            end = _end_of_request(data)
            if end == 0 or end > len(data):
                break
            self._came(data[:end])
            data = data[end:]
        self._read = data

    def _came(self, request: bytes) -> None:
        seen = self._seen
        seen.last = time.perf_counter()
        seen.count += 1
        if seen.count == 1:
            seen.first = seen.last
        if self._notes and (number := _NUMBER.search(request)):
            seen.arrivals.setdefault(int(number[1]), seen.last)
        if self._answers:
            self._transport.write(_ACCEPTED)  # type: ignore[attr-defined]


def _end_of_request(data: bytes) -> int:
    """Return how long the first request is; 0 where its head has not come whole."""
    end_of_head = data.find(b"\r\n\r\n")
    length = _LENGTH.search(data, 0, end_of_head) if end_of_head >= 0 else None
    return end_of_head + 4 + int(length[1]) if length else 0


async def _serve(*, port: int, answers: bool, notes: bool) -> None:
    seen = _Seen()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(seen, answers=answers, notes=notes), "127.0.0.1", port, backlog=1024
    )
    loop.add_reader(sys.stdin.fileno(), _answer_the_benchmark, seen)
    say(port=port)
    await server.serve_forever()


def _answer_the_benchmark(seen: _Seen) -> None:
    word = sys.stdin.readline().strip()
    if word == "arrivals":
        sys.stdout.write(json.dumps(seen.arrivals) + "\n")
        sys.stdout.flush()
        return
    if word == "forget":
        seen.forget()
    say(**seen.state())


async def _warm_up(port: int) -> None:
    """Be a client that comes before the one that is measured."""
    each = _WARM_UP_REQUESTS // _WARM_UP_CONNECTIONS
    await asyncio.gather(*(_requests(port, each) for _ in range(_WARM_UP_CONNECTIONS)))


async def _requests(port: int, count: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"x" * 800
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    for _ in range(count):
        writer.write(head.encode() + body)
        await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    asyncio.run(_serve(**options()))
