"""The seam to the network: one request out, and an answer or one of two reasons why there is none.

*Unreachable*: no byte of the request went out. *Unknown*: bytes went out and no complete answer
came back, so that nobody can say whether the receiver acted on them. Whatever a transport meets,
it lets out these two and nothing else; reasons are plain words and hold no secret.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol, runtime_checkable

from leanbe_emitter import __version__
from leanbe_emitter.headers import check_header
from leanbe_emitter.targets import Target

#: What the sender calls itself (contract c.5: a name of the emulator's own).
USER_AGENT = f"leanbe-emitter/{__version__}"

_REMEMBERED_HEADERS = 4096


@dataclass(frozen=True, kw_only=True)
class TlsSettings:
    """How the receiver's certificate is judged.

    Attributes:
        ca_file: a PEM file of authorities to trust *instead of* the system's.
        insecure: any certificate will do, for any name.
    """

    ca_file: str | None = None
    insecure: bool = False


VERIFY = TlsSettings()


@dataclass(frozen=True, kw_only=True)
class OutgoingRequest:
    """One request, ready to go: a transport sends exactly these headers and this body.

    Attributes:
        method: ``POST`` or ``PUT`` (contract d-6); ``GET`` after some redirects.
        url: a URL that ``targets.check_url`` let through.
        headers: all of them, in order, ``Host`` and ``Content-Length`` too; see
            ``compose_headers``.
        body: the stored bytes. Not in ``repr``: payloads are not for logs.
        timeout_seconds: for everything together, from the name's resolution to the answer's end.
        connect_timeout_seconds: for connecting (and TLS) within that.
        tls: how the receiver's certificate is judged.
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
    """A complete answer, whatever it says.

    Attributes:
        status: the status code.
        reason: the words beside it; may be empty.
        headers: as they came, in order, up to the cap.
        body: its first bytes, up to the cap, with transfer coding taken off.
        body_length: how many bytes of body came in all.
        remark: in words, what was unusual about it; empty most of the time.
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
        answer: what had come of the answer, if its head had come.
    """

    def __init__(self, reason: str, *, answer: Answer | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


class Transport(Protocol):
    """What carries a request to its receiver."""

    async def send(self, request: OutgoingRequest) -> Answer:
        """Send the request once and return the answer.

        Raises:
            Unreachable: no byte of the request went out.
            Unknown: bytes went out, and no complete answer came back.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection; what is in flight ends as ``Unknown``."""
        ...


class RequestInFlight(Protocol):
    """A request that was begun without a task."""

    def cancel(self) -> None:
        """Break it off: its callback is not called any more. Its bytes may have gone out."""
        ...


class PreparedRequest(Protocol):
    """All that requests of one kind have in common: they differ in the bytes of their bodies."""

    def begin(
        self, body: bytes, callback: Callable[[Answer | Unknown], object], /
    ) -> RequestInFlight | None:
        """Send a request once, where that takes no waiting.

        Args:
            body: as long as the body that the request was prepared with.
            callback: is called once, with what the request came to, and not before this returns.

        Returns:
            None where the request has to wait for a connection: no byte of it went out then, and
            ``Transport.send`` sends it.
        """
        ...


@runtime_checkable
class CallbackTransport(Transport, Protocol):
    """A transport that can also send without a task for each request.

    A task, its future and their turns of the loop cost as much as the sending itself.
    """

    def prepare(self, request: OutgoingRequest) -> PreparedRequest:
        """Return what begins requests like this one.

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
    """A transport that can inject faults into the bytes that it sends."""

    async def send_with_fault(self, request: OutgoingRequest, fault: WireFault) -> Answer:
        """Send the request with this fault; otherwise as ``Transport.send``.

        Raises:
            FaultNeedsWire: the receiver is not reached over a network.
        """
        ...


def compose_headers(
    url: str,
    *,
    content_type: str = "application/json",
    content_length: int,
    extra: Iterable[tuple[str, str]] = (),
) -> tuple[tuple[str, str], ...]:
    """Return all headers of a request, always in the same order (contract c.5, d-6).

    ``Host, Content-Type, Content-Length, User-Agent``, then the extra ones as given. An extra
    header that bears one of those names takes its place, save what frames the message.

    Raises:
        InvalidValue: a name or value that cannot be a header, or one that frames the message.
        InvalidTarget: a URL that cannot be called.
    """
    return _composed(url, content_type, content_length, tuple(extra))


# Most requests of a product differ in nothing but their bodies.
@lru_cache(_REMEMBERED_HEADERS)
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
