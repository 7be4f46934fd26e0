"""Each request has an id: in its answer, in the log's line of it, and in what is logged meanwhile.

It is the caller's own, if ``X-Request-Id`` holds one that is fit to be logged.
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
_FIT: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")

#: The id of the request that is answered here.
_present: ContextVar[str | None] = ContextVar("request", default=None)


class WithRequest(logging.Filter):
    """Adds the id of the request, if there is one, to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        request = _present.get()
        if request is not None:
            record.request = request
        return True


class Numbered:
    """Gives each request its id, and logs what was answered."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app
        # Not the handle's: what it makes is to be the same, whoever asks how often. No secret
        # either: the system's chance would be a call of it for each request.
        self._chance = Random()  # noqa: S311

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Let the app answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        request, began_at, status = self._id_of(scope), stopwatch(), 0

        async def numbered(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, request.encode())]
            await send(message)

        token = _present.set(request)
        try:
            await self._app(scope, receive, numbered)
        finally:
            _log(scope, status=status, seconds=stopwatch() - began_at)
            _present.reset(token)

    def _id_of(self, scope: "Scope") -> str:
        given: bytes = dict(scope["headers"]).get(HEADER, b"")
        return given.decode() if _FIT.fullmatch(given) else f"{self._chance.getrandbits(64):016x}"


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
