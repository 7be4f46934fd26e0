"""The server of our receiver: it verifies, answers as configured, and reports each request.

With a flaw, the example receiver of the conformance checks decides on the answers.

It speaks HTTP/1.1 with keep-alive, on the loopback only. It answers the requests of one connection
in order; connections do not wait for each other.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Protocol

import httptools

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.listen_address import port_error
from leanbe_emitter.cli.receive.forwarding import Forwarder, NotForwarded, end_to_end
from leanbe_emitter.clock import SystemClock
from leanbe_emitter.conformance.example.receiver import ExampleReceiver, Incoming, Reply
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.delivery.worker.stop_signals import stop_at_end_of, stopping_signals
from leanbe_emitter.errors import InvalidSignature
from leanbe_emitter.wire.envelope import Envelope, verify

HOST = "127.0.0.1"

_CLOCK = SystemClock()

#: Our sender makes no larger request. The receiver breaks off a larger one.
_LARGEST_BODY_BYTES = 16 << 20
_HUNG_UP = "the connection ended before the target answered"


@dataclass(frozen=True, kw_only=True)
class ReceiverConfig:
    """The configuration of a receiver.

    Attributes:
        secret: the secret to verify with.
        fail_first: how many requests get 503 first.
        delay_seconds: the delay before each answer.
        status: the answer to a verified request; others get 401.
        forwarder: passes all other requests on, whose target then answers them.
        example: decides on the answers instead; it may have a flaw.
    """

    secret: str = field(repr=False)
    fail_first: int = 0
    delay_seconds: float = 0.0
    status: int = HTTPStatus.NO_CONTENT
    forwarder: Forwarder | None = None
    example: ExampleReceiver | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    keep_alive: bool
    pieces: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """One request, its verification, and its answer.

    Attributes:
        number: from 1, in the order in which requests were complete.
        envelope: the envelope of a verified request; else None.
        reason: why the request did not verify; else empty.
        status: the status of the answer; None if the sender hung up before it.
        forwarded: the answer of the target, which is the receiver's; None without one.
        forward_error: why the target gave no answer; else empty.
    """

    number: int
    received_at: datetime
    request: Request
    envelope: Envelope | None
    reason: str
    status: int | None
    forwarded: Answer | None = None
    forward_error: str = ""


Report = Callable[[ReceivedRequest], None]


class WebhookReceiver:
    """The state of a receiver between requests.

    Attributes:
        connections: the open connections.
        ended: done when a signal stops the receiver, or when an error does.
    """

    def __init__(self, config: ReceiverConfig, *, report: Report) -> None:
        self._config = config
        self._report = report
        self._number = 0
        self._at_work: set[asyncio.Task[Any]] = set()
        self.connections: set[asyncio.Transport] = set()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        """Stop the receiver, as a signal does."""
        if not self.ended.done():
            self.ended.set_result(None)

    def fail(self, error: Exception) -> None:
        """Stop the receiver because of an error: a full disk, or a closed stdout."""
        if not self.ended.done():
            self.ended.set_exception(error)

    async def answer(self, request: Request) -> bytes:
        """Verify one request, report it, and return the bytes of the answer."""
        if self._config.example is not None:
            return await self._answer_of(self._config.example, request)
        self._number += 1
        received = self._received(request, number=self._number)
        await asyncio.sleep(self._config.delay_seconds)
        forwarder = self._config.forwarder
        if forwarder is not None and received.number > self._config.fail_first:
            received = await self._forwarded(received, forwarder)
        self._report(received)
        return _answer(received)

    async def _forwarded(self, received: ReceivedRequest, forwarder: Forwarder) -> ReceivedRequest:
        """Pass a request on; return it with the target's answer."""
        request = received.request
        try:
            answer = await forwarder.send(request.method, request.headers, request.body)
        except NotForwarded as error:
            return replace(received, status=HTTPStatus.BAD_GATEWAY, forward_error=str(error))
        except asyncio.CancelledError:
            # A sender that is patient for a shorter time must not make its request invisible.
            self._report(replace(received, status=None, forward_error=_HUNG_UP))
            raise
        return replace(received, status=answer.status, forwarded=answer)

    async def _answer_of(self, example: ExampleReceiver, request: Request) -> bytes:
        """Return the answer of the example receiver; a look at its effects is not reported."""
        # The work goes on after a hang-up, as in most servers.
        work = asyncio.get_running_loop().create_task(self._work(example, request))
        self._at_work.add(work)
        work.add_done_callback(self._at_work.discard)
        reply = await asyncio.shield(work)
        if request.method != "GET":
            self._number += 1
            received = self._received(request, number=self._number)
            self._report(replace(received, status=reply.status))
        return encode_reply(reply, keep_alive=request.keep_alive)

    async def _work(self, example: ExampleReceiver, request: Request) -> Reply:
        reply = await example.answer(incoming(request))
        if reply.then is not None:
            later = asyncio.get_running_loop().create_task(reply.then())
            self._at_work.add(later)
            later.add_done_callback(self._at_work.discard)
        return reply

    def _received(self, request: Request, *, number: int) -> ReceivedRequest:
        envelope, reason = _verified(request.body, secret=self._config.secret)
        status = self._config.status if envelope else HTTPStatus.UNAUTHORIZED
        if number <= self._config.fail_first:
            status = HTTPStatus.SERVICE_UNAVAILABLE
        return ReceivedRequest(
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


def _answer(received: ReceivedRequest) -> bytes:
    status = received.status or HTTPStatus.BAD_GATEWAY
    forwarded = received.forwarded
    body = _detail(received) if forwarded is None else forwarded.body
    bodiless = status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
    is_head = received.request.method == "HEAD"
    head = [f"HTTP/1.1 {output.format_status(status)}"]
    if forwarded is not None:
        head = [f"HTTP/1.1 {status} {forwarded.reason}", *_header_lines(forwarded)]
    elif not bodiless:
        head.append("Content-Type: application/json")
    if not bodiless:
        head.append(f"Content-Length: {len(body)}")
    if not received.request.keep_alive:
        head.append("Connection: close")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + (b"" if bodiless or is_head else body)


def _header_lines(answer: Answer) -> Iterator[str]:
    """Yield the headers of a target's answer; its body has no transfer coding any more."""
    for name, value in end_to_end(answer.headers):
        if name.lower() != "content-length":
            yield f"{name}: {value}"


def _detail(received: ReceivedRequest) -> bytes:
    if received.forward_error:
        return json.dumps({"detail": f"not forwarded: {received.forward_error}"}).encode()
    if received.status == HTTPStatus.UNAUTHORIZED and not received.envelope:
        return b'{"detail":"bad signature"}'
    return b""


def incoming(request: Request) -> Incoming:
    """Return a request as the example receiver takes it."""
    types = [value for name, value in request.headers if name.lower() == b"content-type"]
    return Incoming(
        method=request.method,
        path=request.path,
        content_type=types[0].decode("latin-1") if types else "",
        pieces=request.pieces,
    )


def encode_reply(reply: Reply, *, keep_alive: bool) -> bytes:
    """Return the bytes of an answer; 204 and 304 have no body."""
    bodiless = reply.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
    head = [f"HTTP/1.1 {output.format_status(reply.status)}"]
    if not bodiless:
        head += [f"{name}: {value}" for name, value in reply.headers]
        head += [f"Content-Length: {len(reply.body)}"]
    if not keep_alive:
        head.append("Connection: close")
    return "\r\n".join([*head, "", ""]).encode() + (b"" if bodiless else reply.body)


class Answering(Protocol):
    """Answers the requests of connections."""

    connections: set[asyncio.Transport]

    async def answer(self, request: Request) -> bytes:
        """Return the bytes of the answer."""
        ...

    def fail(self, error: Exception) -> None:
        """Stop because of an error."""
        ...


class _Connection(asyncio.Protocol):
    """One connection: it reads requests, and answers one after the other."""

    def __init__(self, receiver: Answering) -> None:
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
        self._pieces.append(body)
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
                pieces=tuple(self._pieces),
            )
        )

    def _begin(self) -> None:
        self._path = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._pieces: list[bytes] = []

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


def connection_to(receiver: Answering) -> asyncio.Protocol:
    """Return the protocol of a new connection, whose requests the receiver answers."""
    return _Connection(receiver)


async def serve(
    config: ReceiverConfig,
    *,
    port: int,
    ready: Callable[[str], None],
    report: Report,
    until: IO[str] | None = None,
) -> None:
    """Receive until SIGTERM, SIGINT or SIGHUP, or until the end of a stream.

    Args:
        config: the configuration.
        port: the port on the loopback; 0 for a free one.
        ready: called with the URL when the receiver listens.
        report: called with each request before its answer.
        until: a stream at whose end the receiver stops, as by a signal; None: no stream.

    Raises:
        PortTaken: the receiver cannot listen there.
    """
    receiver = WebhookReceiver(config, report=report)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(partial(connection_to, receiver), HOST, port)
    except OSError as error:
        raise port_error(error, host=HOST, port=port) from None
    for number in stopping_signals():
        loop.add_signal_handler(number, receiver.end)
    if until is not None:
        stop_at_end_of(until, receiver.end)
    ready(f"http://{HOST}:{server.sockets[0].getsockname()[1]}/")
    try:
        await receiver.ended
    finally:
        server.close()
        for connection in list(receiver.connections):
            connection.close()
        if config.forwarder is not None:
            await config.forwarder.aclose()


def save_request(received: ReceivedRequest, *, directory: Path, after: int) -> Path:
    """Save the body exactly as it arrived, and its headers beside it; return the body's file.

    Args:
        received: the request.
        directory: the folder.
        after: the highest number in the folder before.
    """
    name = f"{after + received.number:04d}"
    body = directory / f"{name}.json"
    body.write_bytes(received.request.body)
    lines = [f"{received.request.method} {received.request.path}".encode()]
    lines += [key + b": " + value for key, value in received.request.headers]
    (directory / f"{name}.headers").write_bytes(b"\n".join([*lines, b""]))
    return body


def highest_number(directory: Path) -> int:
    """Return the highest number of the bodies in a folder; 0 if there is none."""
    return max(
        (int(each.stem) for each in directory.glob("[0-9]*.json") if each.stem.isdecimal()),
        default=0,
    )


def payload_id(envelope: Envelope | None) -> str:
    """Return the ``_id`` of an envelope's payload; empty if it has none."""
    payload = envelope.payload if envelope else None
    value = payload.get("_id") if isinstance(payload, Mapping) else None
    return value if isinstance(value, str) else ""
