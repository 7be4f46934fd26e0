"""A receiver that floods: it answers each request with bytes that never end, as its path says.

It runs as a process, so that it has a processor of its own. Its first line of output is its URL.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from tests.support.scripted_server import Peer, run_script

_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#: By path: how the answer begins, and what follows for ever.
FLOODS: Mapping[str, tuple[bytes, bytes]] = {
    "/interim": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "/chunks": (_CHUNKED, b"1\r\nx\r\n"),
    "/body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 64),
    "/headers": (b"HTTP/1.1 200 OK\r\n", b"a:\r\n"),
}
_BLOCK_BYTES = 64 * 1024


async def flood(peer: Peer) -> None:
    """Answer a connection's first request, until the other side hangs up."""
    request = await peer.request()
    beginning, rest = FLOODS[request.split()[1].decode()]
    await peer.write(beginning)
    block = rest * (_BLOCK_BYTES // len(rest))
    while True:
        await peer.write(block)


async def _serve() -> None:
    async with run_script(flood) as server:
        print(server.url(""), flush=True)  # noqa: T201 - the protocol of this process
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve())
