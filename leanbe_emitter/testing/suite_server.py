"""A server as a process of its own, for suites whose receivers are in others.

It is started once for many tests, and emptied before each: then nothing of the last one is there,
or under way. The tests act on its database, and it delivers.
"""

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.processes import ServerProcess, ServerUnavailable, running_server
from leanbe_emitter.testing.options import START, HandleOptions

if TYPE_CHECKING:
    from leanbe_emitter.testing.handle import TestedLeanbe

#: How long a server may take to be empty, in seconds.
_RESET_SECONDS = 30.0
#: How much of what it said is told where it failed, in characters: the end of it.
_TOLD = 2000


class SuiteServer:
    """A server that runs for as long as a suite does.

    Attributes:
        url: where it listens.
        token: what callers have to show; None: nothing.
        pid: its process.
    """

    def __init__(self, process: ServerProcess, said: IO[bytes]) -> None:
        self.url = process.url
        self.token = process.token
        self.pid = process.pid
        self._db = process.db
        self._said = said

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """Start one; stop it after the block.

        Raises:
            ServerUnavailable: it did not start; the hint is what it said.
        """
        with TemporaryFile() as said, ExitStack() as until_the_end:
            try:
                process = until_the_end.enter_context(running_server(stderr=said))
            except ServerUnavailable as error:
                raise ServerUnavailable(error.message, hint=_end_of(said)) from None
            yield cls(process, said)

    def open_handle(
        self,
        options: HandleOptions,
        changes: Mapping[str, Any],
        *,
        make_default_product: Callable[[], object],
    ) -> "TestedLeanbe":
        """Empty it, and return a handle on its database, where it is the start of 2026.

        Args:
            options: what the handle is made with.
            changes: what a marker says of it.
            make_default_product: makes the product of what is triggered while there is none.

        Raises:
            InvalidValue: a change is refused.
            ServerUnavailable: it does not answer any more.
        """
        if own := {"clock", "db"} & set(changes):
            raise InvalidValue(
                f"A server has a {' and a '.join(sorted(own))} of its own.",
                hint="Its clock is a manual one: leanbe_server.leanbe.clock.set(...).",
            )
        options = options.with_changes({**changes, "clock": None, "db": self._db})
        self._reset()
        handle = options.open_handle(make_default_product=make_default_product)
        handle.clock.set(START)
        return handle

    def _reset(self) -> None:
        """Let the server do it: it breaks off what it has in flight."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=_RESET_SECONDS)
        try:
            connection.request("POST", "/api/v1/reset", headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnavailable(
                f"The server at {self.url} does not answer any more: {type(error).__name__}.",
                hint=_end_of(self._said),
            ) from None
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.NO_CONTENT:
            raise ServerUnavailable(f"The server at {self.url} cannot be emptied.", hint=text)


def _end_of(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace").strip()[-_TOLD:]
