"""Interface of transports: one request out; an answer in, or one of two errors.

``Unreachable``: no byte of the request went out. ``Unknown``: bytes went out and no complete answer
came back, so nobody can say whether the receiver acted on the request. A third error is not about
the receiver: ``OutOfDescriptors``, this process can open no connection, so that no request began. A
transport raises no other error. Reasons are plain words and hold no secret.

Transports collect an answer in an ``AnswerBuffer``: it keeps the answer up to its limits and counts
the rest.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol, Self, runtime_checkable

from leanbe_emitter import __version__
from leanbe_emitter.header_rules import check_header
from leanbe_emitter.settings import Settings
from leanbe_emitter.target_rules import Target

#: User agent of the sender (contract c.5: a name of the emulator's own).
USER_AGENT = f"leanbe-emitter/{__version__}"

_CACHED_HEADERS = 4096


@dataclass(frozen=True, kw_only=True)
class TlsSettings:
    """Settings for the verification of the receiver's certificate.

    Attributes:
        ca_file: a PEM file of authorities; they are trusted *instead of* the system's.
        insecure: accept any certificate, for any name.
    """

    ca_file: str | None = None
    insecure: bool = False


VERIFY = TlsSettings()


@dataclass(frozen=True, kw_only=True)
class OutgoingRequest:
    """Complete request: a transport sends exactly these headers and this body.

    Attributes:
        method: ``POST`` or ``PUT`` (contract d-6); ``GET`` after some redirects.
        url: a URL that ``targets.check_url`` allowed.
        headers: all headers in order, ``Host`` and ``Content-Length`` included; see
            ``compose_headers``.
        body: the stored bytes. Not in ``repr``: payloads are not for logs.
        timeout_seconds: limit for the whole exchange, from name resolution to the answer's end.
        connect_timeout_seconds: limit for the connection and TLS handshake within that.
        tls: how the receiver's certificate is verified.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    timeout_seconds: float = 10.0
    connect_timeout_seconds: float = 5.0
    tls: TlsSettings = VERIFY


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Complete answer of a receiver, whatever its status.

    Attributes:
        status: the status code.
        reason: the reason phrase; may be empty.
        headers: as they came, in order, up to the limit.
        body: its first bytes, up to the limit, without transfer coding.
        body_length: number of bytes of the whole body.
        remark: a note about anything unusual; mostly empty.
    """

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    body_length: int = 0
    remark: str = ""

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that name, in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Unreachable(Exception):
    """No byte of the request went out.

    Attributes:
        reason: why, in plain words: ``connection refused by 127.0.0.1:8000``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unknown(Exception):
    """Bytes went out, and no complete answer came back.

    Attributes:
        reason: why, in plain words: ``no complete answer within 10 s``.
        answer: the part of the answer that came; None where its head did not come.
    """

    def __init__(self, reason: str, *, answer: Answer | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


class Transport(Protocol):
    """Sender of requests to receivers."""

    async def send(self, request: OutgoingRequest) -> Answer:
        """Send the request once and return the answer.

        Raises:
            Unreachable: no byte of the request went out.
            Unknown: bytes went out, and no complete answer came back.
            OutOfDescriptors: this process can open no connection.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection; requests in flight end as ``Unknown``."""
        ...


class RequestInFlight(Protocol):
    """Request in flight, without a task."""

    def cancel(self) -> None:
        """Cancel it: its callback is not called. Its bytes may have gone out."""
        ...


class PreparedRequest(Protocol):
    """Prepared request: all of it except the bytes of its body."""

    def begin(
        self, body: bytes, callback: Callable[[Answer | Unknown], object], /
    ) -> RequestInFlight | None:
        """Send a request once, if a connection is free.

        Args:
            body: as long as the body that the request was prepared with.
            callback: called once with the result, and not before this returns.

        Returns:
            None where the request has to wait for a connection: no byte went out, and
            ``Transport.send`` has to send it.
        """
        ...


@runtime_checkable
class CallbackTransport(Transport, Protocol):
    """Transport that can also send without a task for each request.

    A task, its future and their turns of the loop cost as much as the sending itself.
    """

    def prepare(self, request: OutgoingRequest) -> PreparedRequest:
        """Prepare requests that differ from this one in the bytes of their body only.

        Raises:
            Unreachable: a request like this one cannot be sent.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class WireFault:
    """A fault in how a request's bytes go out.

    Attributes:
        body_seconds: from the body's first piece to its last; 0: all at once.
        hang_up: ``close`` or ``reset``: how the sender ends the connection before the answer;
            empty: it does not.
    """

    body_seconds: float = 0.0
    hang_up: str = ""


@runtime_checkable
class WireTransport(Protocol):
    """Transport that can commit faults in how the bytes go out."""

    async def send_with_fault(self, request: OutgoingRequest, fault: WireFault) -> Answer:
        """Send the request with this fault; otherwise as ``Transport.send``.

        Raises:
            FaultNeedsWire: the receiver is not reached over a network.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class AnswerLimits:
    """Limits of what is kept of an answer, in bytes.

    Attributes:
        answer_bytes: limit for the body; the rest is counted and dropped.
        header_bytes: limit for the names and values of headers.
    """

    answer_bytes: int = 64 * 1024
    header_bytes: int = 16 * 1024

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the limits of these settings."""
        return cls(answer_bytes=settings.kept_answer_bytes, header_bytes=settings.kept_header_bytes)


DEFAULT_LIMITS = AnswerLimits()


class AnswerBuffer:
    """The part of an answer that has come so far."""

    def __init__(self, limits: AnswerLimits) -> None:
        self._limits = limits
        self._status = 0
        self._reason = ""
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._room = limits.answer_bytes
        self._length = 0

    def begin(self, status: int, headers: Iterable[tuple[bytes, bytes]], *, reason: str) -> None:
        """Take the head; it replaces an earlier head."""
        self._status, self._headers, self._reason = status, list(headers), reason

    def add(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._length += len(piece)
        if self._room > 0 and piece:
            self._pieces.append(piece[: self._room])
            self._room -= len(piece)

    @property
    def is_begun(self) -> bool:
        """Whether the head has come."""
        return self._status != 0

    @property
    def is_whole(self) -> bool:
        """Whether the head has come, and as many bytes of body as Content-Length promises."""
        promised = self.promised_length()
        return self.is_begun and (promised is None or self._length >= promised)

    @property
    def is_server_error(self) -> bool:
        """Whether its status is 500 or more."""
        return self._status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def length(self) -> int:
        """Number of bytes of body that have come."""
        return self._length

    def promised_length(self) -> int | None:
        """Return its Content-Length; None where it is missing or malformed."""
        for name, value in self._headers:
            if name.lower() == b"content-length" and value.strip().isdigit():
                return int(value)
        return None

    def so_far(self, *, remark: str = "") -> Answer | None:
        """Return the part that has come; None before the head."""
        return self.whole(remark=remark) if self.is_begun else None

    def whole(self, *, remark: str = "") -> Answer:
        """Return the answer; its head must have come."""
        return Answer(
            status=self._status,
            reason=self._reason,
            headers=keep_headers(self._headers, kept_bytes=self._limits.header_bytes),
            body=b"".join(self._pieces),
            body_length=self._length,
            remark=remark,
        )


def keep_headers(
    headers: Iterable[tuple[bytes, bytes]], *, kept_bytes: int
) -> tuple[tuple[str, str], ...]:
    """Return an answer's first headers as text, up to so many bytes of names and values."""
    kept = []
    for name, value in headers:
        kept_bytes -= len(name) + len(value)
        if kept_bytes < 0:
            break
        kept.append((name.decode("latin-1"), value.decode("latin-1")))
    return tuple(kept)


def compose_headers(
    url: str,
    *,
    content_type: str = "application/json",
    content_length: int,
    extra: Iterable[tuple[str, str]] = (),
) -> tuple[tuple[str, str], ...]:
    """Return all headers of a request, always in the same order.

    The order is ``Host, Content-Type, Content-Length, User-Agent``, then the extra headers.
    An extra header with one of these names replaces it, except for headers that frame the message.

    Raises:
        InvalidValue: a name or value that cannot be a header, or one that frames the message.
        InvalidTarget: a URL that cannot be called.
    """
    # Contract c.5, d-6.
    return _composed(url, content_type, content_length, tuple(extra))


# Most requests of a product differ in their bodies only.
@lru_cache(_CACHED_HEADERS)
def _composed(
    url: str, content_type: str, content_length: int, extra: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    headers = {
        "host": ("Host", Target.of(url).authority),
        "content-type": check_header("Content-Type", content_type),
        "content-length": ("Content-Length", str(content_length)),
        "user-agent": ("User-Agent", USER_AGENT),
    }
    added: list[tuple[str, str]] = []
    for name, value in extra:
        header = check_header(name, value)
        if name.lower() in headers:
            headers[name.lower()] = header
        else:
            added.append(header)
    return (*headers.values(), *added)
