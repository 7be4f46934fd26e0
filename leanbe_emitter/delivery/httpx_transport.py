"""The adapter for a user's own httpx transport: proxies, client certificates, HTTP/2, mocks.

httpx's names stay inside this file. What a foreign transport connects to, and which certificates
it trusts, is its own business: the rules are asked for the URL only, and ``tls`` is not looked at.
"""

import asyncio

import httpx

from leanbe_emitter.delivery.transport import (
    KEPT_ANSWER_BYTES,
    KEPT_HEADER_BYTES,
    Answer,
    OutgoingRequest,
    Unknown,
    Unreachable,
    keep_headers,
)
from leanbe_emitter.errors import InvalidTarget
from leanbe_emitter.targets import TargetRules, check_url

# Errors of httpx before which no byte of the request can have gone out.
_BEFORE_THE_REQUEST = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class HttpxTransport:
    """Sends through an ``httpx.AsyncBaseTransport``, under one total deadline.

    Args:
        transport: the user's own; ``aclose`` closes it.
        rules: where webhooks may point; asked for the URL, not for the address.
        kept_answer_bytes: how much of an answer's body is kept; the rest is counted and dropped.
        kept_header_bytes: how much of an answer's headers is kept, in names and values.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        rules: TargetRules,
        kept_answer_bytes: int = KEPT_ANSWER_BYTES,
        kept_header_bytes: int = KEPT_HEADER_BYTES,
    ) -> None:
        self._transport = transport
        self._rules = rules
        self._kept_answer_bytes = kept_answer_bytes
        self._kept_header_bytes = kept_header_bytes

    async def send(self, request: OutgoingRequest) -> Answer:
        """Send the request once and return the answer.

        Raises:
            Unreachable: no byte of the request went out.
            Unknown: bytes went out, or nobody can say, and no complete answer came back.
        """
        foreign = self._foreign(request)
        came = _Answer(
            kept_answer_bytes=self._kept_answer_bytes, kept_header_bytes=self._kept_header_bytes
        )
        try:
            async with asyncio.timeout(request.timeout_seconds):
                await came.read(await self._transport.handle_async_request(foreign))
        except _BEFORE_THE_REQUEST as error:
            raise Unreachable(_in_words(error)) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Unknown(
                f"no complete answer within {request.timeout_seconds:g} s", answer=came.so_far()
            ) from error
        except Exception as error:  # whatever a foreign transport raises ends at this border
            raise Unknown(_in_words(error), answer=came.so_far()) from error
        return came.whole()

    async def aclose(self) -> None:
        """Close the user's transport."""
        await self._transport.aclose()

    def _foreign(self, request: OutgoingRequest) -> httpx.Request:
        whole, connect = request.timeout_seconds, request.connect_timeout_seconds
        try:
            return httpx.Request(
                request.method,
                check_url(request.url, self._rules),
                headers=[
                    (name.encode("latin-1"), value.encode("latin-1"))
                    for name, value in request.headers
                ],
                content=request.body,
                extensions={
                    "timeout": {
                        "connect": min(connect, whole),
                        "read": whole,
                        "write": whole,
                        "pool": whole,
                    }
                },
            )
        except InvalidTarget as error:
            raise Unreachable(str(error)) from error
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise Unreachable(f"httpx does not take the request: {error}") from error


class _Answer:
    """What has come of an answer."""

    def __init__(self, *, kept_answer_bytes: int, kept_header_bytes: int) -> None:
        self._kept_header_bytes = kept_header_bytes
        self._room = kept_answer_bytes
        self._response: httpx.Response | None = None
        self._pieces: list[bytes] = []
        self._length = 0

    async def read(self, response: httpx.Response) -> None:
        """Read the answer to its end."""
        self._response = response
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise TypeError("the answer's body is no asynchronous stream")
        try:
            async for piece in response.stream:
                self._length += len(piece)
                if self._room > 0:
                    self._pieces.append(piece[: self._room])
                    self._room -= len(piece)
        finally:
            await response.aclose()

    def so_far(self) -> Answer | None:
        """Return what has come, None before the head."""
        return self.whole() if self._response is not None else None

    def whole(self) -> Answer:
        """Return the answer, whose head has come."""
        assert self._response is not None  # noqa: S101 - tells the type checker
        return Answer(
            status=self._response.status_code,
            reason=self._response.reason_phrase,
            headers=keep_headers(self._response.headers.raw, kept_bytes=self._kept_header_bytes),
            body=b"".join(self._pieces),
            body_length=self._length,
        )


def _in_words(error: Exception) -> str:
    return str(error) or type(error).__name__
