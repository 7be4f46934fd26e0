"""A server's API, as a command calls it: JSON over one kept connection."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from leanbe_emitter.errors import InvalidValue, LeanbeError
from leanbe_emitter.processes import ServerUnavailable

#: How long an answer may take, in seconds: longer than the server lets anybody wait by default.
_ANSWER_SECONDS = 60.0
#: The header that a write's answer has: all that it brings about comes behind it.
_CURSOR = "Leanbe-Emitter-Cursor"


class Api:
    """The operations of a server, by their paths behind ``/api/v1``.

    Attributes:
        cursor: that of the last write.
    """

    def __init__(self, connection: http.client.HTTPConnection, *, token: str | None) -> None:
        self.cursor = ""
        self._connection = connection
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Call an operation; return what it answers with.

        Raises:
            InvalidValue: the server refuses it, for the reason that it names.
            ServerUnavailable: it does not answer, or cannot do its work.
        """
        try:
            self._connection.request("POST", f"/api/v1{path}", json.dumps(body), self._headers)
            answer = self._connection.getresponse()
            document = json.loads(answer.read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            said = type(error).__name__
            raise ServerUnavailable(
                f"The server does not answer: {said}.", hint="Its own lines say why."
            ) from None
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise _problem(answer.status, document)
        self.cursor = answer.headers.get(_CURSOR, self.cursor)
        return document


@contextmanager
def calling(url: str, *, token: str | None) -> Iterator[Api]:
    """Call the API of the server at a URL until the block ends; it may ask for a token."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_ANSWER_SECONDS)
    try:
        yield Api(connection, token=token)
    finally:
        connection.close()


def _problem(status: int, document: Mapping[str, Any]) -> LeanbeError:
    kind = ServerUnavailable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else InvalidValue
    return kind(document["detail"], hint=document["hint"])
