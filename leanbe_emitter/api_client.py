"""A client of a server's API: JSON over one connection that stays open.

It needs the standard library only, as commands that use it must start fast.
"""

import http.client
import json
from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.server_process import ServerUnavailable

#: How long to wait for an answer, in seconds: longer than any wait of the server by default.
_ANSWER_SECONDS = 60.0
#: The header with the journal's cursor before the effects of a write.
_CURSOR = "Leanbe-Emitter-Cursor"


class ApiAnswer(NamedTuple):
    """An answer of the server, whatever its status."""

    status: int
    headers: Message
    body: bytes


class ApiClient:
    """The operations of a server. Use it in a ``with`` block, which closes the connection.

    Args:
        url: the server's URL, as ``serve`` prints it.
        token: the server's bearer token, if it has one.
        answer_seconds: how long to wait for an answer.

    Attributes:
        cursor: the cursor of the last ``post``.
    """

    def __init__(
        self, url: str, *, token: str | None = None, answer_seconds: float = _ANSWER_SECONDS
    ) -> None:
        address = urlsplit(url)
        self.cursor = ""
        self._root = address.path.rstrip("/")
        self._connection = http.client.HTTPConnection(address.netloc, timeout=answer_seconds)
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> ApiAnswer:
        """Send a request to a path of the server, and return its answer.

        Raises:
            OSError, http.client.HTTPException: no complete answer came.
        """
        text = None if body is None else json.dumps(body)
        self._connection.request(method, f"{self._root}{path}", text, self._headers)
        answer = self._connection.getresponse()
        return ApiAnswer(answer.status, answer.headers, answer.read())

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Call an operation by its path below ``/api/v1``; return the document of its answer.

        Raises:
            InvalidValue: the server refuses the call, with its reason.
            ServerUnavailable: the server does not answer, or cannot work.
        """
        try:
            answer = self.request("POST", f"/api/v1{path}", body)
            document = json.loads(answer.body)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ServerUnavailable(
                f"The server does not answer: {type(error).__name__}.",
                hint="The server's own output may say why.",
            ) from None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            is_broken = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            kind = ServerUnavailable if is_broken else InvalidValue
            raise kind(document["detail"], hint=document["hint"])
        self.cursor = answer.headers.get(_CURSOR, self.cursor)
        return document

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
