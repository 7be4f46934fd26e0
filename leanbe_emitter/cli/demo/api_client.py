"""A client of a server's API: JSON over one connection that stays open."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.server_process import ServerUnavailable

#: How long to wait for an answer, in seconds: longer than any wait of the server by default.
_ANSWER_SECONDS = 60.0
#: The header with the journal's cursor before the effects of a write.
_CURSOR = "Leanbe-Emitter-Cursor"


class ApiClient:
    """The operations of a server, by their paths below ``/api/v1``.

    Attributes:
        cursor: the cursor of the last write.
    """

    def __init__(self, connection: http.client.HTTPConnection, *, token: str | None) -> None:
        self.cursor = ""
        self._connection = connection
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Call an operation and return the document of its answer.

        Raises:
            InvalidValue: the server refuses the call, with its reason.
            ServerUnavailable: the server does not answer, or cannot work.
        """
        try:
            self._connection.request("POST", f"/api/v1{path}", json.dumps(body), self._headers)
            answer = self._connection.getresponse()
            document = json.loads(answer.read())
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


@contextmanager
def connect(url: str, *, token: str | None) -> Iterator[ApiClient]:
    """Call the API of the server at a URL, with its bearer token if it has one."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_ANSWER_SECONDS)
    try:
        yield ApiClient(connection, token=token)
    finally:
        connection.close()
