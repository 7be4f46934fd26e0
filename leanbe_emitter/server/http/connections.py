"""Connections of the server: uvicorn's protocol, with limits of time and size around it.

Callers without a token reach this code, so nothing that they send or leave out may cost much:

- The head of a request has at most ``HEAD_BYTES`` and ``HEAD_SECONDS``.
- A body may take ``BODY_SECONDS``, and a second more for each ``BODY_BYTES_PER_SECOND``.
- After an early answer, the server reads at most ``DRAINED_BYTES`` of the rest of the head or
  body. The client can read the answer meanwhile: a connection that is closed at once may lose it.
- A client that takes no byte of an answer for ``STALLED_SECONDS`` is disconnected.
- A connection beyond ``max_connections`` gets an answer, and is closed.

``check`` enforces the times. The server calls it for each connection once a second, so that a
request needs no timer.
"""

import asyncio
import logging
from functools import cache
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.server.http.problems import (
    HeadTooLarge,
    RequestTimedOut,
    TooManyConnections,
    problem,
)

logger = logging.getLogger(__name__)

#: Longest head of a request, in bytes.
HEAD_BYTES = 64 * 1024
#: Longest wait for a head, and longest wait for a body before its rate counts, in seconds.
HEAD_SECONDS, BODY_SECONDS = 10.0, 10.0
#: Least rate of a body.
BODY_BYTES_PER_SECOND = 4096
#: Most bytes that the server reads of a request that it has answered already.
DRAINED_BYTES = 1 << 20
#: Longest time in which a client takes no byte of an answer, in seconds.
STALLED_SECONDS = 30.0
#: Least time between two log lines about refused connections, in seconds.
QUIET_SECONDS = 60.0


class BoundedConfig(uvicorn.Config):
    """Uvicorn's settings, and the number of connections that are served at once.

    Args:
        app: the ASGI application.
        max_connections: the number of connections.
        options: uvicorn's own settings.
    """

    def __init__(self, app: Any, *, max_connections: int, **options: Any) -> None:
        super().__init__(app, http=BoundedProtocol, ws="none", **options)
        self.max_connections = max_connections
        self._quiet_until = float("-inf")

    def note_refused(self, now: float) -> None:
        """Log that there are too many connections, once a minute at most."""
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_SECONDS
            logger.warning(
                "There are too many connections: further ones are refused.",
                extra={"max_connections": self.max_connections},
            )


class BoundedProtocol(HttpToolsProtocol):
    """One connection, with limits."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = cast("BoundedConfig", config)
        self._is_new, self._is_refused = True, False
        self._is_in_body = False
        self._closes_after_body = False
        self._head_bytes = self._body_bytes = self._drained_bytes = 0
        # When the wait for the present head or body began; None: ``check`` sets it.
        self._waits_since: float | None = None
        self._unsent_bytes, self._unsent_since = 0, 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Serve the connection, or refuse it if there are too many."""
        super().connection_made(transport)
        self._waits_since = self.loop.time()
        if len(self.connections) > self._bounds.max_connections:
            self._bounds.note_refused(self._waits_since)
            self._refuse(_too_many_connections())

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        if self._is_refused:
            self._drain(len(data))
            return
        if not self._is_in_body:
            self._head_bytes += len(data)
        super().data_received(data)
        if not self._is_in_body and self._head_bytes > HEAD_BYTES:
            self._refuse_head()

    def on_headers_complete(self) -> None:
        """Begin to handle the request, unless its head is too large."""
        if self._head_bytes > HEAD_BYTES and self._size_of_head() > HEAD_BYTES:
            self._refuse_head()
            return
        self._head_bytes = self._body_bytes = self._drained_bytes = 0
        self._waits_since = None
        self._is_new, self._is_in_body = False, True
        super().on_headers_complete()
        if not self.cycle.keep_alive:
            self.cycle.transport = cast("asyncio.Transport", _ClosesAfterBody(self))

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; drop it if the request is answered already."""
        if self._is_refused:
            return
        if not self.cycle.response_complete:
            self._body_bytes += len(body)
            super().on_body(body)
            return
        self._drain(len(body))

    def on_message_complete(self) -> None:
        """Note the end of the body."""
        if self._is_refused:
            return
        self._is_in_body = False
        self._waits_since = None
        super().on_message_complete()
        if not self.cycle.response_complete:
            return
        if self._closes_after_body:
            self._end()
        else:
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of this one."""
        self._waits_since = None
        super().on_response_complete()

    def close_after_body(self) -> None:
        """Close the connection as soon as the rest of the body has been read."""
        if self._is_in_body and not self.cycle.disconnected:
            self._closes_after_body = True
        else:
            self.transport.close()

    def check(self, now: float) -> None:
        """Disconnect a client that is too slow.

        Args:
            now: the loop's time.
        """
        self._check_unsent(now)
        if self.transport.is_closing():
            return
        if not (self._is_refused or self._is_waiting()):
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = now
        elif now - self._waits_since > self._most_seconds():
            self._time_out()

    def _is_waiting(self) -> bool:
        """Whether the client has to send the next bytes."""
        if self._is_in_body:
            return not self.flow.read_paused
        if self._is_new:
            return True
        # Uvicorn closes connections that idle between two requests.
        return self.cycle.response_complete and self._head_bytes > 0

    def _most_seconds(self) -> float:
        if self._is_in_body:
            return BODY_SECONDS + self._body_bytes / BODY_BYTES_PER_SECOND
        return HEAD_SECONDS

    def _time_out(self) -> None:
        has_answer = self._is_refused or (self._is_in_body and self.cycle.response_started)
        if has_answer or not (self._is_in_body or self._head_bytes):
            self._end()
        else:
            self._refuse(_timed_out())

    def _check_unsent(self, now: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent_bytes:
            self._unsent_bytes, self._unsent_since = unsent, now
        elif now - self._unsent_since > STALLED_SECONDS:
            self.transport.abort()

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse_head(self) -> None:
        """Refuse a request whose head is too large, and read some of the rest."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        self._drained_bytes, self._waits_since = 0, self.loop.time()
        self.transport.write(_head_too_large())
        self.transport.write_eof()

    def _drain(self, count: int) -> None:
        self._drained_bytes += count
        if self._drained_bytes > DRAINED_BYTES:
            self._end()

    def _refuse(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
        self._end()

    def _end(self) -> None:
        self._is_refused = True
        self.transport.close()


class _ClosesAfterBody:
    """The transport of a response after which the connection closes."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing
        self.close = protocol.close_after_body


@cache
def _head_too_large() -> bytes:
    return _raw(HeadTooLarge(most_bytes=HEAD_BYTES))


@cache
def _timed_out() -> bytes:
    return _raw(RequestTimedOut(head_seconds=HEAD_SECONDS, bytes_per_second=BODY_BYTES_PER_SECOND))


@cache
def _too_many_connections() -> bytes:
    return _raw(TooManyConnections())


def _raw(error: LeanbeError) -> bytes:
    """Return the bytes of a problem, for a connection that ends with it."""
    response = problem(error)
    lines = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}".encode()]
    lines += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join([*lines, b"connection: close", b"", bytes(response.body)])
