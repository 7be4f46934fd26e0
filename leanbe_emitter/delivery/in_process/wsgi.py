"""A WSGI app as a receiver: Leanbe calls it in this process by its protocol (PEP 3333).

The transport takes the answer when the app's iterable has ended and was closed.
"""

import io
import re
import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any
from urllib.parse import unquote_to_bytes

from leanbe_emitter.delivery.in_process.asgi_exchange import CLIENT_ADDRESS
from leanbe_emitter.delivery.in_process.call import ANSWER_SECONDS, current_call
from leanbe_emitter.delivery.in_process.frameworks import moved_to_django_thread
from leanbe_emitter.delivery.in_process.sync_transport import SyncTransport
from leanbe_emitter.delivery.network.transport import (
    DEFAULT_LIMITS,
    Answer,
    AnswerBuffer,
    AnswerLimits,
    OutgoingRequest,
)
from leanbe_emitter.target_rules import Target

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None

_STATUS = re.compile(r"([1-5][0-9][0-9])(?: (.*))?")
_WITHOUT_PREFIX = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class WsgiTransport(SyncTransport):
    """Transport that sends requests to one WSGI app.

    Args:
        app: the app.
        answer_seconds: the time in which the app must answer.
        limits: how much of an answer is stored.
    """

    def __init__(
        self,
        app: WsgiApp,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        limits: AnswerLimits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(self._exchange, app=app, answer_seconds=answer_seconds, limits=limits)
        self._app = app

    async def send(self, request: OutgoingRequest) -> Answer:
        """Call the app once and return its answer.

        Django refuses calls on a thread that runs an event loop. The call then moves to the thread
        that Django keeps for synchronous code.
        """
        elsewhere = moved_to_django_thread(self._app, self.call)
        return self.call(request) if elsewhere is None else await elsewhere(request)

    def _exchange(self, request: OutgoingRequest, answer: AnswerBuffer) -> None:
        response = _Response(answer)
        iterable = self._app(environ(request), response.start)
        try:
            for piece in iterable:
                response.write(piece)
            response.end()
        finally:
            if hasattr(iterable, "close"):
                iterable.close()


def environ(request: OutgoingRequest) -> dict[str, Any]:
    """Return the environ of a request."""
    target = Target.of(request.url)
    path, _, query = target.path.partition("?")
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": target.path,
        "SERVER_NAME": target.host,
        "SERVER_PORT": str(target.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": CLIENT_ADDRESS[0],
        "REMOTE_PORT": str(CLIENT_ADDRESS[1]),
        **_headers(request),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": target.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _headers(request: OutgoingRequest) -> dict[str, str]:
    variables: dict[str, str] = {}
    for name, value in request.headers:
        key = _WITHOUT_PREFIX.get(name.lower(), f"HTTP_{name.upper().replace('-', '_')}")
        variables[key] = f"{variables[key]},{value}" if key in variables else value
    return variables


class _Response:
    """The answer of a WSGI app; its head goes with the first piece of the body, or at the end."""

    def __init__(self, answer: AnswerBuffer) -> None:
        self._answer = answer
        self._head: tuple[int, str, list[tuple[bytes, bytes]]] | None = None

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo = None
    ) -> Callable[[bytes], None]:
        """Start the answer, as the app's ``start_response``."""
        error = exc_info[1] if exc_info is not None else None
        if error is not None:
            _notice(error)
            if self._answer.is_begun:
                raise error
        elif self._head is not None:
            raise RuntimeError("start_response was called a second time, without exc_info")
        self._head = _head(status, headers)
        return self.write

    def write(self, piece: bytes) -> None:
        """Take a piece of the body; ``start_response`` returns this method as ``write``."""
        if not isinstance(piece, bytes):
            raise TypeError(f"the body of a WSGI answer must be bytes, and not {piece!r}")
        if piece:
            self.end()
            self._answer.add(piece)

    def end(self) -> None:
        """Send the head, if it was not sent yet."""
        if self._answer.is_begun:
            return
        if self._head is None:
            raise RuntimeError("the app answered without a call of start_response")
        status, reason, headers = self._head
        self._answer.begin(status, headers, reason=reason)


def _head(status: Any, headers: Any) -> tuple[int, str, list[Any]]:
    match = _STATUS.fullmatch(status) if isinstance(status, str) else None
    if match is None:
        raise ValueError(f"the status of a WSGI answer must look like '200 OK', and not {status!r}")
    try:
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    except (AttributeError, TypeError, ValueError) as error:
        raise TypeError("the headers of a WSGI answer must be pairs of str (Latin-1)") from error
    return int(match[1]), match[2] or "", pairs


def _notice(error: BaseException) -> None:
    call = current_call()
    if call is not None:
        call.swallowed_errors.append(error)
