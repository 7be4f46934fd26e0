"""The clients of an HTTP server, a process of their own: each acts again as soon as it is answered.

Bare asyncio, as the receiver is, so that they cost less than what they measure: an answer is looked
at no further than its status and its length. It imports the standard library only.
"""

import asyncio
import json
import os
import re
import time
from typing import Any, Final

from benchmarks.processes import options, say, wait_for_word

#: What each of them makes: an idea, by the names of its fields.
FIELDS: Final[dict[str, Any]] = {"title": "Dark mode", "tags": [{"title": "ui"}]}

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CREATED = b"HTTP/1.1 201 "


class Crowd:
    """The common part of all clients.

    Attributes:
        left: how many requests are still to be made.
        milliseconds: how long each took that was answered.
    """

    def __init__(self, *, request: bytes, requests: int) -> None:
        self.request = request
        self.left = requests
        self.milliseconds: list[float] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._missing = requests

    def took(self, seconds: float) -> None:
        """Note an answer; the last one ends it."""
        self.milliseconds.append(seconds * 1000)
        self._missing -= 1
        if self._missing == 0:
            self.over.set_result(None)

    def fail(self, words: str) -> None:
        """End it: a rate with failures in it is none."""
        if not self.over.done():
            self.over.set_exception(RuntimeError(words))


class _Client(asyncio.Protocol):
    """One connection that is kept; one request at a time."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        data = self._read + data if self._read else data
        self._read = data
        head = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, head) if head >= 0 else None
        if length and len(data) >= head + 4 + int(length[1]):
            self._answered(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_waiting:
            self._crowd.fail(f"A connection was closed: {exc}.")

    def _ask(self) -> None:
        self._is_waiting = self._crowd.left > 0
        if self._is_waiting:
            self._crowd.left -= 1
            self._read = b""
            self._asked_at = time.perf_counter()
            self._transport.write(self._crowd.request)  # type: ignore[attr-defined]

    def _answered(self, answer: bytes) -> None:
        if not answer.startswith(_CREATED):
            self._crowd.fail(answer.decode(errors="replace"))
            return
        self._crowd.took(time.perf_counter() - self._asked_at)
        self._ask()


async def _act(*, port: int, product: str, clients: int, requests: int) -> dict[str, Any]:
    path = f"/api/v1/products/{product}/ideas"
    body = json.dumps(FIELDS).encode()
    crowd = Crowd(request=_request(port, path, body), requests=requests)
    loop = asyncio.get_running_loop()
    began, used = time.perf_counter(), time.process_time()
    made = [
        await loop.create_connection(lambda: _Client(crowd), "127.0.0.1", port)
        for _ in range(clients)
    ]
    await crowd.over
    told = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - used,
        "milliseconds": crowd.milliseconds,
    }
    for transport, _ in made:
        transport.abort()
    return told


def _request(port: int, path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    # The server has the first core.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    say(ready=True)
    while wait_for_word():
        say(**asyncio.run(_act(**options())))
