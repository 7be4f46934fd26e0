"""A server in a process of its own, for suites whose receivers are other processes.

The server starts once for many tests. It is emptied before each test: then no data and no request
of the last test is left. The tests act on its database, and the server delivers.
"""

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Self

from leanbe_emitter.api_client import ApiClient
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.server_process import ServerProcess, ServerUnavailable, running_server
from leanbe_emitter.testing.options import START, HandleOptions

if TYPE_CHECKING:
    from leanbe_emitter.testing.handle import TestedLeanbe

#: How long a reset of the server may take, in seconds.
_RESET_SECONDS = 30.0
#: Length of the end of the server's output that an error shows, in characters.
_SHOWN_OUTPUT = 2000


class SuiteServer:
    """A server that runs as long as its suite.

    Attributes:
        url: the server's URL.
        token: the token that clients must send; None: no token is needed.
        pid: the id of the server's process.
    """

    def __init__(self, process: ServerProcess, output: IO[bytes]) -> None:
        self.url = process.url
        self.token = process.token
        self.pid = process.pid
        self._db = process.db
        self._output = output

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """Start a server, and stop it after the block.

        Raises:
            ServerUnavailable: the server did not start; the hint is its output.
        """
        with TemporaryFile() as output, ExitStack() as resources:
            try:
                process = resources.enter_context(running_server(stderr=output))
            except ServerUnavailable as error:
                raise ServerUnavailable(error.message, hint=_end_of_output(output)) from None
            yield cls(process, output)

    def open_handle(
        self,
        options: HandleOptions,
        changes: Mapping[str, Any],
        *,
        make_default_product: Callable[[], object],
    ) -> "TestedLeanbe":
        """Empty the server and open a handle on its database, at the start of 2026.

        Args:
            options: the options of the handle.
            changes: the options that a marker sets.
            make_default_product: makes the product for ``trigger`` if the database has none.

        Raises:
            InvalidValue: a marker sets an option that servers lack, or an invalid value.
            ServerUnavailable: the server does not answer any more.
        """
        if own := {"clock", "db"} & set(changes):
            raise InvalidValue(
                f"leanbe_server has its own {' and '.join(sorted(own))}.",
                hint="Leave it out. Set its manual clock by leanbe_server.leanbe.clock.set(...).",
            )
        options = options.with_changes({**changes, "clock": None, "db": self._db})
        self._reset()
        handle = options.open_handle(make_default_product=make_default_product)
        handle.clock.set(START)
        return handle

    def _reset(self) -> None:
        """Let the server reset itself, because it stops its own requests first."""
        try:
            with ApiClient(self.url, token=self.token, answer_seconds=_RESET_SECONDS) as client:
                answer = client.request("POST", "/api/v1/reset")
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnavailable(
                f"The server at {self.url} does not answer any more: {type(error).__name__}.",
                hint=_end_of_output(self._output),
            ) from None
        if answer.status != http.HTTPStatus.NO_CONTENT:
            hint = answer.body.decode()
            raise ServerUnavailable(f"The server at {self.url} cannot be emptied.", hint=hint)


def _end_of_output(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode(errors="replace").strip()[-_SHOWN_OUTPUT:]
