"""The adapter for a user's own httpx transport: proxies, client certificates, HTTP/2, mocks.

httpx's names stay inside this file. A user's transport decides which addresses it connects to and
which certificates it trusts. So only the URL is checked against the rules, and ``tls`` is ignored.
"""

import asyncio

import httpx

from leanbe_emitter.delivery.network.answer_reader import MOST_BYTES, TooLong
from leanbe_emitter.delivery.network.transport import (
    DEFAULT_LIMITS,
    Answer,
    AnswerBuffer,
    AnswerLimits,
    OutgoingRequest,
    Unknown,
    Unreachable,
)
from leanbe_emitter.errors import InvalidTarget
from leanbe_emitter.target_rules import TargetRules, check_url

# Errors of httpx that come before any byte of the request.
_BEFORE_THE_REQUEST = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class HttpxTransport:
    """Send through an ``httpx.AsyncBaseTransport``, under one total deadline.

    Args:
        transport: the user's transport; ``aclose`` closes it.
        rules: where webhooks may point; the URL is checked, not the address.
        limits: how much of an answer is stored.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        rules: TargetRules,
        limits: AnswerLimits = DEFAULT_LIMITS,
    ) -> None:
        self._transport = transport
        self._rules = rules
        self._limits = limits

    async def send(self, request: OutgoingRequest) -> Answer:
        """Send the request once and return the answer."""
        foreign = self._foreign(request)
        came = AnswerBuffer(self._limits)
        try:
            async with asyncio.timeout(request.timeout_seconds):
                await _read(await self._transport.handle_async_request(foreign), came)
        except _BEFORE_THE_REQUEST as error:
            raise Unreachable(_in_words(error)) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Unknown(
                f"no complete answer within {request.timeout_seconds:g} s", answer=came.so_far()
            ) from error
        except Exception as error:  # a user's transport may raise anything
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


async def _read(response: httpx.Response, came: AnswerBuffer) -> None:
    """Read an answer to its end; raise ``TooLong`` if that is too far."""
    came.begin(response.status_code, response.headers.raw, reason=response.reason_phrase)
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise TypeError("the answer's body is no asynchronous stream")
    try:
        async for piece in response.stream:
            came.add(piece)
            if came.length > MOST_BYTES:
                raise TooLong
    finally:
        await response.aclose()


def _in_words(error: Exception) -> str:
    return str(error) or type(error).__name__
