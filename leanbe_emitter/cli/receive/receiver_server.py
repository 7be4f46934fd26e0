"""A small receiver: it verifies each request, answers as it is told to, and reports what came.

HTTP/1.1 with keep-alive, on the loopback only. Requests of one connection are answered in their
order; connections do not wait for each other.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

import httptools

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.listening import port_error
from leanbe_emitter.clock import SystemClock
from leanbe_emitter.delivery.worker.stop_signals import stopping_signals
from leanbe_emitter.errors import InvalidSignature
from leanbe_emitter.wire.envelope import Envelope, verify

HOST = "127.0.0.1"

_CLOCK = SystemClock()

#: No sender of ours makes a larger request; what is larger is not read to its end.
_LARGEST_BODY_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """How a receiver behaves.

    Attributes:
        secret: what signatures are verified with.
        fail_first: so many requests are answered with 503, whatever they hold.
        delay_seconds: how long each answer is held back.
        status: the answer to what verifies; what does not is answered with 401.
    """

    secret: str = field(repr=False)
    fail_first: int = 0
    delay_seconds: float = 0.0
    status: int = HTTPStatus.NO_CONTENT


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    keep_alive: bool


@dataclass(frozen=True, kw_only=True)
class Reception:
    """One request, what it was found to be, and how it was answered.

    Attributes:
        number: from 1, in the order in which the requests were complete.
        envelope: what the body holds, or None where it did not verify.
        reason: why it did not verify; empty where it did.
        status: the answer.
    """

    number: int
    received_at: datetime
    request: Request
    envelope: Envelope | None
    reason: str
    status: int


Report = Callable[[Reception], None]


class WebhookReceiver:
    """What a receiver knows between requests: its conduct, and how many it had.

    Attributes:
        connections: those that are open.
        ended: done when a signal ends it, or with what went wrong.
    """

    def __init__(self, conduct: Conduct, *, report: Report) -> None:
        self._conduct = conduct
        self._report = report
        self._number = 0
        self.connections: set[asyncio.Transport] = set()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        """End it, as a signal does."""
        if not self.ended.done():
            self.ended.set_result(None)

    def fail(self, error: Exception) -> None:
        """End it by what went wrong: a disk that is full, nobody who reads its lines."""
        if not self.ended.done():
            self.ended.set_exception(error)

    async def answer(self, request: Request) -> bytes:
        """Judge one request, report it, and return the bytes of the answer."""
        self._number += 1
        reception = self._judge(request, number=self._number)
        await asyncio.sleep(self._conduct.delay_seconds)
        self._report(reception)
        return _answer(reception)

    def _judge(self, request: Request, *, number: int) -> Reception:
        envelope, reason = _verified(request.body, secret=self._conduct.secret)
        status = self._conduct.status if envelope else HTTPStatus.UNAUTHORIZED
        if number <= self._conduct.fail_first:
            status = HTTPStatus.SERVICE_UNAVAILABLE
        return Reception(
            number=number,
            received_at=_CLOCK.now(),
            request=request,
            envelope=envelope,
            reason=reason,
            status=status,
        )


def _verified(body: bytes, *, secret: str) -> tuple[Envelope | None, str]:
    try:
        return verify(body, secret), ""
    except InvalidSignature as error:
        return None, error.message


def _answer(reception: Reception) -> bytes:
    status = reception.status
    body = _detail(reception)
    bodiless = status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
    head = [f"HTTP/1.1 {output.format_status(status)}"]
    if not bodiless:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if not reception.request.keep_alive:
        head.append("Connection: close")
    return "\r\n".join([*head, "", ""]).encode() + (b"" if bodiless else body)


def _detail(reception: Reception) -> bytes:
    if reception.status == HTTPStatus.UNAUTHORIZED and not reception.envelope:
        return b'{"detail":"bad signature"}'
    return b""


class _Connection(asyncio.Protocol):
    """One connection: reads requests, has them answered one after the other."""

    def __init__(self, receiver: WebhookReceiver) -> None:
        self._receiver = receiver
        self._parser = httptools.HttpRequestParser(self)
        self._queue: asyncio.Queue[Request] = asyncio.Queue()
        self._begin()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server gives
        self._transport = transport
        self._receiver.connections.add(transport)
        self._answering = asyncio.get_running_loop().create_task(self._answer_all())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._receiver.connections.discard(self._transport)
        self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            self._transport.close()

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if any(name.lower() == b"expect" for name, _ in self._headers):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > _LARGEST_BODY_BYTES:
            self._transport.abort()

    def on_message_complete(self) -> None:
        self._queue.put_nowait(
            Request(
                method=self._parser.get_method().decode("ascii", "replace"),
                path=self._path.decode("utf-8", "backslashreplace"),
                headers=tuple(self._headers),
                body=bytes(self._body),
                keep_alive=self._parser.should_keep_alive(),
            )
        )

    def _begin(self) -> None:
        self._path = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()

    async def _answer_all(self) -> None:
        while not self._transport.is_closing():
            request = await self._queue.get()
            try:
                self._transport.write(await self._receiver.answer(request))
            except OSError as error:
                self._receiver.fail(error)
                self._transport.close()
            if not request.keep_alive:
                self._transport.close()


async def serve(
    conduct: Conduct, *, port: int, ready: Callable[[str], None], report: Report
) -> None:
    """Receive until SIGTERM, SIGINT or SIGHUP.

    Args:
        conduct: how to behave.
        port: where to listen on the loopback; 0 for a free one.
        ready: called with the URL once requests are accepted.
        report: called with each request that was received, before its answer goes out.

    Raises:
        PortTaken: nothing can listen there.
    """
    receiver = WebhookReceiver(conduct, report=report)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: _Connection(receiver), HOST, port)
    except OSError as error:
        raise port_error(error, host=HOST, port=port) from None
    for number in stopping_signals():
        loop.add_signal_handler(number, receiver.end)
    ready(f"http://{HOST}:{server.sockets[0].getsockname()[1]}/")
    try:
        await receiver.ended
    finally:
        server.close()
        for connection in list(receiver.connections):
            connection.close()


def keep(reception: Reception, *, directory: Path, after: int) -> Path:
    """Write the body exactly as it came, its headers beside it; return the body's file.

    Args:
        reception: what came.
        directory: where to write.
        after: the highest number that was there before.
    """
    name = f"{after + reception.number:04d}"
    body = directory / f"{name}.json"
    body.write_bytes(reception.request.body)
    lines = [f"{reception.request.method} {reception.request.path}".encode()]
    lines += [key + b": " + value for key, value in reception.request.headers]
    (directory / f"{name}.headers").write_bytes(b"\n".join([*lines, b""]))
    return body


def highest_kept(directory: Path) -> int:
    """Return the highest number of the bodies that are kept there; 0 where there is none."""
    return max(
        (int(each.stem) for each in directory.glob("[0-9]*.json") if each.stem.isdecimal()),
        default=0,
    )


def payload_id(envelope: Envelope | None) -> str:
    """Return the ``_id`` of what an envelope speaks of; nothing where it has none."""
    payload = envelope.payload if envelope else None
    value = payload.get("_id") if isinstance(payload, Mapping) else None
    return value if isinstance(value, str) else ""
