"""Sends the requests of a run, one at a time or several at once, and keeps what came of each."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from leanbe_emitter.conformance.sample_requests import SampleRequest
from leanbe_emitter.delivery.network.request_code import curl
from leanbe_emitter.delivery.network.transport import (
    VERIFY,
    Answer,
    OutgoingRequest,
    TlsSettings,
    Transport,
    Unknown,
    Unreachable,
    WireTransport,
    compose_headers,
)
from leanbe_emitter.header_rules import MASK

#: A shorter secret may stand in any answer by chance.
SHORTEST_SECRET = 4
#: The same of a header's value, which is mostly no secret.
_SHORTEST_VALUE = 6
#: The longest body that a curl command repeats, in bytes.
_LONGEST_IN_CURL = 4096
#: The longest part of an answer that the report shows, in characters.
_LONGEST_SHOWN = 120


def hidden_words(secret: str, headers: Iterable[tuple[str, str]]) -> Sequence[str]:
    """Return the words to hide, the longest first: a word may be a part of another one."""
    values = {word for _, value in headers for word in (value, *value.split())}
    hidden = {word for word in values if len(word) >= _SHORTEST_VALUE}
    hidden |= {secret} if len(secret) >= SHORTEST_SECRET else set()
    return sorted(hidden, key=len, reverse=True)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where the requests of a run go.

    Attributes:
        url: the receiver's URL.
        headers: further headers of each request.
        timeout_seconds: how long a request may take.
        tls: how the receiver's certificate is verified.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    timeout_seconds: float = 10.0
    tls: TlsSettings = VERIFY


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request that was sent, and what came of it.

    Attributes:
        request: the request.
        answer: the answer; None if no complete one came.
        reason: why there is no answer; empty with one.
        is_unreachable: whether no byte of it went out.
        seconds: how long it took.
        curl: the command that repeats the request; empty for a long or binary body.
    """

    request: SampleRequest
    answer: Answer | None
    reason: str = ""
    is_unreachable: bool = False
    seconds: float = 0.0
    curl: str = field(default="", repr=False)

    @property
    def status(self) -> int:
        """The answer's status; 0 without an answer."""
        return 0 if self.answer is None else self.answer.status

    @property
    def is_accepted(self) -> bool:
        """Whether the answer is a success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def in_words(self) -> str:
        """Return the answer's status, and the beginning of its text if that is a refusal."""
        if self.answer is None:
            return f"no answer: {self.reason}"
        said = "" if self.is_accepted else _beginning(self.answer.body)
        return f"{_phrase(self.status)}: {said}" if said else _phrase(self.status)


class Client:
    """Sends requests to one receiver.

    Args:
        transport: sends them.
        endpoint: where they go.
        stopwatch: returns seconds of a monotonic clock.
    """

    def __init__(
        self, transport: Transport, endpoint: Endpoint, *, stopwatch: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._stopwatch = stopwatch
        #: The number of requests that were sent.
        self.count = 0

    async def send(self, request: SampleRequest) -> Exchange:
        """Send a request once; a redirect is not followed."""
        self.count += 1
        begun = self._stopwatch()
        made = Exchange(request=request, answer=None, curl=self._curl(request))
        try:
            made = replace(made, answer=await self._answer(request))
        except (Unreachable, Unknown) as error:
            is_unreachable = isinstance(error, Unreachable)
            made = replace(made, reason=error.reason, is_unreachable=is_unreachable)
        return replace(made, seconds=self._stopwatch() - begun)

    async def send_at_once(self, requests: Sequence[SampleRequest]) -> list[Exchange]:
        """Send requests at the same time, each over a connection of its own."""
        return list(await asyncio.gather(*map(self.send, requests)))

    async def _answer(self, request: SampleRequest) -> Answer:
        outgoing = self._outgoing(request)
        if request.wire_fault is None:
            return await self._transport.send(outgoing)
        assert isinstance(self._transport, WireTransport)  # noqa: S101 - the check needs a network
        return await self._transport.send_with_fault(outgoing, request.wire_fault)

    def _outgoing(self, request: SampleRequest) -> OutgoingRequest:
        return OutgoingRequest(
            method=request.method,
            url=self._endpoint.url,
            headers=self._headers(request, self._endpoint.headers),
            body=request.body,
            timeout_seconds=self._endpoint.timeout_seconds,
            connect_timeout_seconds=min(5.0, self._endpoint.timeout_seconds),
            tls=self._endpoint.tls,
        )

    def _headers(
        self, request: SampleRequest, further: Sequence[tuple[str, str]]
    ) -> tuple[tuple[str, str], ...]:
        return compose_headers(
            self._endpoint.url, content_length=len(request.body), extra=(*further, *request.headers)
        )

    def _curl(self, request: SampleRequest) -> str:
        if len(request.body) > _LONGEST_IN_CURL or request.wire_fault is not None:
            return ""
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            return ""
        masked = [(name, MASK) for name, _ in self._endpoint.headers]
        return curl(
            method=request.method,
            url=self._endpoint.url,
            headers=self._headers(request, masked),
            body=text,
            ca_file=self._endpoint.tls.ca_file,
            insecure=self._endpoint.tls.insecure,
        )


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _beginning(body: bytes) -> str:
    text = " ".join(body.decode(errors="replace").split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
