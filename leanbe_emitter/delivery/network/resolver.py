"""Resolver: it resolves names to addresses without blocking anything else.

The system's resolver blocks, for half a minute if a name's servers are dead. So each name has at
most one lookup at a time, in a thread of its own. Neither lookups of other names nor the database,
which uses threads of the loop's pool, ever wait for it.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

#: Name and port in, addresses out, in the order to try them; ``OSError`` if there is none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
#: The blocking form of ``Resolve``.
Lookup = Callable[[str, int], Sequence[str]]

_Found = Sequence[str] | Exception


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a name; this blocks."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class SystemResolver:
    """Resolve names; concurrent calls for one name share one lookup.

    A cancelled call leaves its lookup to the next call. Lookup threads are daemons, so that they do
    not keep the program from ending.
    """

    def __init__(self, *, lookup: Lookup = look_up) -> None:
        self._lookup = lookup
        self._pending: dict[tuple[str, int], asyncio.Future[_Found]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a name.

        Raises:
            OSError: it has none, or the lookup failed.
            UnicodeError: it is not a valid name.
        """
        loop = asyncio.get_running_loop()
        pending = self._pending.get((host, port))
        if pending is None or pending.get_loop() is not loop:
            pending = self._pending[host, port] = loop.create_future()
            threading.Thread(
                target=self._run_lookup,
                args=(host, port, pending),
                daemon=True,
                name=f"resolve {host}",
            ).start()
        found = await asyncio.shield(pending)
        if isinstance(found, Exception):
            raise found
        return found

    def _run_lookup(self, host: str, port: int, pending: asyncio.Future[_Found]) -> None:
        found: _Found
        try:
            found = self._lookup(host, port)
        except (OSError, UnicodeError) as error:
            found = error
        with suppress(RuntimeError):  # the loop was closed meanwhile
            pending.get_loop().call_soon_threadsafe(self._finish, host, port, pending, found)

    def _finish(self, host: str, port: int, pending: asyncio.Future[_Found], found: _Found) -> None:
        if self._pending.get((host, port)) is pending:
            del self._pending[host, port]
        if not pending.done():
            pending.set_result(found)
