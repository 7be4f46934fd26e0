"""A server that follows a test's script byte by byte, and notes what it receives."""

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def head(*lines: str, status: str = "200 OK") -> bytes:
    """Return the head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


@dataclass(kw_only=True)
class Peer:
    """One connection, as the server sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        """Read one request, head and body; raise ``IncompleteReadError`` if none comes."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        return head + await self.reader.readexactly(int(length[1]) if length else 0)

    async def write(self, data: bytes) -> None:
        """Write data, and wait until the system has taken it."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, answer: bytes = OK) -> None:
        """Read one request and answer it."""
        await self.request()
        await self.write(answer)

    async def serve(self, answer: bytes = OK) -> None:
        """Give every request the same answer until the other side hangs up."""
        while True:
            await self.answer(answer)

    async def hang_up(self) -> None:
        """Close the connection in the ordinary way."""
        self.writer.close()
        await self.writer.wait_closed()

    def half_close(self) -> None:
        """Close the sending side, and keep reading."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Close the connection with a reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_hung_up(self) -> bytes:
        """Read until the other side hangs up; return the bytes read."""
        try:
            return await self.reader.read(-1)
        except ConnectionError:
            return b""


Script = Callable[[Peer], Awaitable[None]]


@dataclass(kw_only=True)
class ScriptedServer:
    """The running server, as a test sees it."""

    port: int
    host: str
    scheme: str
    #: Number of accepted connections.
    connections: int = 0
    #: Connections whose script has ended (or whose other side hung up on it).
    ended: "asyncio.Queue[Peer]" = field(default_factory=asyncio.Queue)

    def url(self, path: str = "/hook", *, host: str | None = None) -> str:
        """Return a URL of the server; ``host`` is another name of its host."""
        return f"{self.scheme}://{host or self.host}:{self.port}{path}"


@asynccontextmanager
async def run_script(
    script: Script, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedServer]:
    """Serve on a free port of a loopback address until the block ends."""
    tasks: set[asyncio.Task[None]] = set()

    async def follow(peer: Peer) -> None:
        try:
            await script(peer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side hung up, which ends any script
        finally:
            served.ended.put_nowait(peer)
            peer.writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        tasks.add(asyncio.ensure_future(follow(Peer(reader=reader, writer=writer))))

    server = await asyncio.start_server(accept, host, 0, ssl=tls)
    served = ScriptedServer(
        port=server.sockets[0].getsockname()[1],
        host=f"[{host}]" if ":" in host else host,
        scheme="https" if tls else "http",
    )
    try:
        yield served
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
