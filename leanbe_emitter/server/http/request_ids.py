"""Request ids: each request has one in its answer, and in every log record while it is handled.

The id is the caller's ``X-Request-Id`` if it is safe to log, else a random one.
"""

import logging
import re
from contextvars import ContextVar
from random import Random
from typing import TYPE_CHECKING, Final

from leanbe_emitter.clock import stopwatch

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

HEADER: Final = b"x-request-id"
_SAFE: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")

#: Id of the request that this context handles.
_current: ContextVar[str | None] = ContextVar("request", default=None)


class RequestIdFilter(logging.Filter):
    """Adds the current request's id to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id, and let every record through."""
        request = _current.get()
        if request is not None:
            record.request = request
        return True


class RequestIdMiddleware:
    """Gives each request its id, and logs its answer."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app
        # The handle's chance would yield other values for other numbers of requests. An id is no
        # secret, and the system's chance costs a system call for each request.
        self._random = Random()  # noqa: S311

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        request_id, began_at, status = self._id_of(scope), stopwatch(), 0

        async def send_with_id(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, request_id.encode())]
            await send(message)

        token = _current.set(request_id)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            _log(scope, status=status, seconds=stopwatch() - began_at)
            _current.reset(token)

    def _id_of(self, scope: "Scope") -> str:
        given: bytes = dict(scope["headers"]).get(HEADER, b"")
        return given.decode() if _SAFE.fullmatch(given) else f"{self._random.getrandbits(64):016x}"


def _log(scope: "Scope", *, status: int, seconds: float) -> None:
    if logger.isEnabledFor(logging.INFO):
        logger.info(
            "A request was answered.",
            extra={
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "ms": round(seconds * 1000, 3),
            },
        )
