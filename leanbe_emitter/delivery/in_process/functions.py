"""A function as a receiver: it takes the request and returns the answer.

None means 204, a number means that status, and a pair means a status and a body. The function may
be asynchronous.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from leanbe_emitter.delivery.in_process.app_errors import reason_phrase
from leanbe_emitter.delivery.in_process.asgi import AsgiTransport
from leanbe_emitter.delivery.in_process.asgi_exchange import Message
from leanbe_emitter.delivery.in_process.call import ANSWER_SECONDS
from leanbe_emitter.delivery.in_process.sync_transport import SyncTransport
from leanbe_emitter.delivery.network.transport import (
    DEFAULT_LIMITS,
    AnswerBuffer,
    AnswerLimits,
    OutgoingRequest,
)
from leanbe_emitter.wire.envelope import Envelope, verify

_REQUEST = "leanbe_emitter.request"
_NO_CONTENT = 204
_STATUSES = range(200, 600)


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """A request, as the function of a receiver gets it.

    Attributes:
        method: ``POST`` or ``PUT``.
        url: the URL to which the request was sent.
        headers: all headers, in order.
        body: the bytes that were sent. ``repr`` leaves them out: payloads must not reach logs.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that name, in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def envelope(self, secret: str) -> Envelope:
        """Verify the body and return its envelope.

        Raises:
            InvalidSignature: the secret does not verify the body.
        """
        return verify(self.body, secret)


#: Answer of a receiver's function.
Reply = int | tuple[int, bytes | str] | None


def function_transport(
    function: Callable[[ReceivedRequest], Reply | Awaitable[Reply]],
    *,
    answer_seconds: float = ANSWER_SECONDS,
    limits: AnswerLimits = DEFAULT_LIMITS,
) -> SyncTransport | AsgiTransport:
    """Return the transport that calls a function with each request."""
    if is_asynchronous(function):
        return _AsyncFunctionTransport(
            _asgi_app(function), lifespan=False, answer_seconds=answer_seconds, limits=limits
        )

    def ask(request: OutgoingRequest, answer: AnswerBuffer) -> None:
        status, body = _reply(function(_received(request)))
        answer.begin(status, (), reason=reason_phrase(status))
        answer.add(body)

    return SyncTransport(ask, app=function, answer_seconds=answer_seconds, limits=limits)


def is_asynchronous(function: Callable[..., Any]) -> bool:
    """Say whether a function, or an object's ``__call__``, is a coroutine function."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - the method itself is wanted
    )


class _AsyncFunctionTransport(AsgiTransport):
    """Transport that calls a coroutine function as an app whose scope holds the request."""

    def scope(self, request: OutgoingRequest) -> dict[str, Any]:
        """Return the ASGI scope of the request, with the request itself."""
        return {**super().scope(request), _REQUEST: _received(request)}


def _asgi_app(function: Callable[[ReceivedRequest], Any]) -> Callable[..., Awaitable[None]]:
    async def app(
        scope: dict[str, Any], receive: object, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        del receive
        status, body = _reply(await function(scope[_REQUEST]))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


def _received(request: OutgoingRequest) -> ReceivedRequest:
    return ReceivedRequest(
        method=request.method, url=request.url, headers=request.headers, body=request.body
    )


def _reply(reply: object) -> tuple[int, bytes]:
    match reply:
        case None:
            return _NO_CONTENT, b""
        case int() if reply in _STATUSES and not isinstance(reply, bool):
            return reply, b""
        case (int() as status, bytes() | str() as body) if status in _STATUSES:
            return status, body.encode() if isinstance(body, str) else body
    if inspect.iscoroutine(reply):
        reply.close()
    raise TypeError(
        "a receiver's function returns None, a status from 200 to 599, or a status and a body, "
        f"and not {reply!r}"
    )
