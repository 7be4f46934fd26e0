"""From a name to addresses, without holding anything else up.

The system's resolver blocks, for half a minute where a name's servers are dead. A name is
therefore asked for once at a time, in a thread of its own: neither the lookups of other names nor
the database, which has threads of the loop's own pool, ever stand in line behind it.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

#: Name and port in; addresses in the order to try them out; ``OSError`` if there is none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
#: The same, blocking.
Lookup = Callable[[str, int], Sequence[str]]

_Found = Sequence[str] | Exception


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a name, and wait for them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class SystemResolver:
    """Resolves names; those who ask for a name while it is being looked up share the answer.

    Whoever stops waiting leaves the lookup to the next one who asks. Its threads do not keep the
    program from ending.
    """

    def __init__(self, *, lookup: Lookup = look_up) -> None:
        self._lookup = lookup
        self._asked: dict[tuple[str, int], asyncio.Future[_Found]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a name.

        Raises:
            OSError: it has none, or nobody could be asked.
            UnicodeError: it can be no name.
        """
        loop = asyncio.get_running_loop()
        asked = self._asked.get((host, port))
        if asked is None or asked.get_loop() is not loop:
            asked = self._asked[host, port] = loop.create_future()
            threading.Thread(
                target=self._ask, args=(host, port, asked), daemon=True, name=f"resolve {host}"
            ).start()
        found = await asyncio.shield(asked)
        if isinstance(found, Exception):
            raise found
        return found

    def _ask(self, host: str, port: int, asked: asyncio.Future[_Found]) -> None:
        found: _Found
        try:
            found = self._lookup(host, port)
        except (OSError, UnicodeError) as error:
            found = error
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
            asked.get_loop().call_soon_threadsafe(self._tell, host, port, asked, found)

    def _tell(self, host: str, port: int, asked: asyncio.Future[_Found], found: _Found) -> None:
        if self._asked.get((host, port)) is asked:
            del self._asked[host, port]
        if not asked.done():
            asked.set_result(found)
