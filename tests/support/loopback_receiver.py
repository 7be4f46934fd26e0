"""A small receiver on the loopback: keeps every request, and answers as it is told."""

import http.server
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from leanbe_emitter import Envelope, verify
from tests.support.waiting import PATIENCE_SECONDS


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> Envelope:
        """Return the envelope; raise ``InvalidSignature`` where it does not verify."""
        return verify(self.body, secret)


@dataclass(frozen=True, kw_only=True)
class LoopbackReceiver:
    """What a test sees of the receiver.

    Attributes:
        url: where it listens.
        requests: what came, in order.
        statuses: the next answers; 204 when there are none left.
        is_open: cleared, the answers wait until it is set again.
        busy: is set when a request came in.
    """

    url: str
    requests: list[Request] = field(default_factory=list)
    statuses: deque[int] = field(default_factory=deque)
    is_open: threading.Event = field(default_factory=threading.Event)
    busy: threading.Event = field(default_factory=threading.Event)

    @property
    def bodies(self) -> list[bytes]:
        """The bodies that came, in order."""
        return [request.body for request in self.requests]

    @classmethod
    @contextmanager
    def listening(cls, port: int = 0) -> Iterator[Self]:
        """Listen on a port of 127.0.0.1, a free one by default, until the block ends."""
        server = _Server(("127.0.0.1", port), _Handler)
        receiver = cls(url=f"http://127.0.0.1:{server.server_port}/hooks/leanbe")
        receiver.is_open.set()
        server.receiver = receiver
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.is_open.set()
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    receiver: LoopbackReceiver
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of who hung up: that may be after its test, and another one reads stderr."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A connection that idles is closed by the sender; its thread must not outlive the tests.
    timeout = PATIENCE_SECONDS
    server: _Server

    def _take(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.requests.append(
            Request(
                method=self.command, path=self.path, headers=dict(self.headers.items()), body=body
            )
        )
        receiver.busy.set()
        receiver.is_open.wait(PATIENCE_SECONDS)
        self.send_response(receiver.statuses.popleft() if receiver.statuses else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self._take()

    def do_PUT(self) -> None:
        self._take()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""
