"""A small HTTP receiver on the loopback: it keeps every request, and answers as the test says."""

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
    """A request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> Envelope:
        """Return the envelope; raise ``InvalidSignature`` if the body does not verify."""
        return verify(self.body, secret)


@dataclass(frozen=True, kw_only=True)
class LoopbackReceiver:
    """The receiver, as a test sees it.

    Attributes:
        url: the receiver's URL.
        requests: the requests that arrived, in order.
        statuses: the statuses of the next answers; 204 when none is left.
        is_open: while this is clear, answers wait.
        busy: set when a request has arrived.
    """

    url: str
    requests: list[Request] = field(default_factory=list)
    statuses: deque[int] = field(default_factory=deque)
    is_open: threading.Event = field(default_factory=threading.Event)
    busy: threading.Event = field(default_factory=threading.Event)

    @property
    def bodies(self) -> list[bytes]:
        """The bodies that arrived, in order."""
        return [request.body for request in self.requests]

    @classmethod
    @contextmanager
    def listening(cls, port: int = 0) -> Iterator[Self]:
        """Listen on a port of 127.0.0.1, by default a free one, until the block ends."""
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
        """Print no hang-ups: they may come after their test, and another test reads stderr."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The sender closes idle connections; their threads must not outlive the tests.
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
        """Print nothing."""
