"""One request and its answer, as an ASGI app sees them: scope, ``receive`` and ``send``.

The exchange behaves as a server does. A large body comes in several frames. A message that the
protocol forbids raises an error in the app. After a hang-up or a complete answer, ``receive``
returns ``http.disconnect``.
"""

import asyncio
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote

from leanbe_emitter.delivery.in_process.app_errors import reason_phrase
from leanbe_emitter.delivery.network.transport import AnswerBuffer, AnswerLimits, OutgoingRequest
from leanbe_emitter.target_rules import Target

Message = MutableMapping[str, Any]

#: Size of a frame of the request's body, in bytes, as in uvicorn.
FRAME_BYTES = 64 * 1024
#: Address and port of the client, as apps see it.
CLIENT_ADDRESS = ("127.0.0.1", 50000)

_VERSIONS = {"version": "3.0", "spec_version": "2.3"}


def lifespan_scope(state: dict[str, Any]) -> dict[str, Any]:
    """Return the scope of an app's lifespan; the app may store objects in the state."""
    return {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}


def http_scope(request: OutgoingRequest, *, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scope of a request."""
    target = Target.of(request.url)
    path, _, query = target.path.partition("?")
    return {
        "type": "http",
        "asgi": dict(_VERSIONS),
        "http_version": "1.1",
        "method": request.method,
        "scheme": target.scheme,
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers
        ],
        "client": CLIENT_ADDRESS,
        "server": (target.host, target.port),
        "state": dict(state),
        "extensions": {},
    }


class Exchange:
    """The app's side of one request.

    Attributes:
        answer: the part of the answer that the app has sent.
        is_complete: a future that is done when the app has sent the whole answer.
    """

    def __init__(self, body: bytes, *, limits: AnswerLimits) -> None:
        self.answer = AnswerBuffer(limits)
        self.is_complete = asyncio.get_running_loop().create_future()
        self._frames = _frames(body)
        self._is_over = asyncio.Event()

    @property
    def is_accepted(self) -> bool:
        """Whether the answer is complete and does not report a server error."""
        return self.is_complete.done() and not self.answer.is_server_error

    def hang_up(self) -> None:
        """Stop waiting for the answer. The app gets a disconnect; later messages are dropped."""
        self._is_over.set()

    async def receive(self) -> Message:
        """Return the next frame of the body; after the last frame, wait for the disconnect."""
        frame = next(self._frames, None)
        if frame is not None:
            return frame
        await self._is_over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message of the answer.

        Raises:
            RuntimeError: the protocol forbids the message at this point.
        """
        if self._is_over.is_set() and not self.is_complete.done():
            return
        match message["type"]:
            case "http.response.start" if not self.answer.is_begun:
                self._begin(message)
            case "http.response.body" if self.answer.is_begun and not self.is_complete.done():
                self._add(message)
            case kind:
                raise RuntimeError(f"an ASGI app must not send {kind!r} here")

    def _begin(self, message: Message) -> None:
        status, headers = message["status"], list(message.get("headers", ()))
        if not isinstance(status, int) or not all(_is_header(each) for each in headers):
            raise TypeError("http.response.start needs a status (int) and headers (pairs of bytes)")
        self.answer.begin(
            int(status), ((name, value) for name, value in headers), reason=reason_phrase(status)
        )

    def _add(self, message: Message) -> None:
        piece = message.get("body", b"")
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise TypeError("the body of http.response.body must be bytes")
        self.answer.add(bytes(piece))
        promised = self.answer.promised_length()
        if promised is not None and self.answer.length > promised:
            raise RuntimeError("the answer is longer than its Content-Length")
        if message.get("more_body", False):
            return
        if promised is not None and self.answer.length < promised:
            raise RuntimeError("the answer is shorter than its Content-Length")
        self.is_complete.set_result(None)
        self._is_over.set()


def _frames(body: bytes) -> Iterator[Message]:
    for start in range(0, max(len(body), 1), FRAME_BYTES):
        end = start + FRAME_BYTES
        yield {"type": "http.request", "body": body[start:end], "more_body": end < len(body)}


def _is_header(header: Any) -> bool:
    try:
        name, value = header
    except (TypeError, ValueError):
        return False
    return isinstance(name, bytes) and isinstance(value, bytes)
