"""Connections of the server: each has its limits, and the time is told by the test."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from uvicorn.server import ServerState

from leanbe_emitter.server.http import connections
from leanbe_emitter.server.http.connections import BoundedConfig, BoundedProtocol
from tests.support.event_loops import run_in_loop
from tests.support.waiting import PATIENCE_SECONDS, async_wait_until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#: More than the system's buffers hold.
LARGE = 16 << 20


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer ``ok``: at once at ``/early``, with much at ``/large``, else after the body."""
    is_whole = scope["path"] == "/early"
    while not is_whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        is_whole = not message["more_body"]
    body = b"x" * LARGE if scope["path"] == "/large" else b"ok"
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


class Client:
    """A connection to the server under test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """Send bytes, as far as the server takes them."""
        self.writer.write(data)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """Return the status and the content of the next answer."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].split()[0])
            return int(head.split()[1]), await self._reader.readexactly(length)

    async def problem(self) -> tuple[int, str]:
        """Return the status and the code of a refusal, after which the server hangs up."""
        status, content = await self.answer()
        assert await self.is_over()
        return status, json.loads(content)["code"]

    async def is_over(self) -> bool:
        """Wait for the end of the connection; say whether nothing came before it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self._reader.read() == b""
            except ConnectionError:
                return True


@dataclass(kw_only=True)
class Served:
    """The server under test."""

    address: tuple[str, int]
    state: ServerState
    protocols: list[BoundedProtocol]
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection(*self.address))
        self.clients.append(client)
        name = client.writer.get_extra_info("sockname")
        await async_wait_until(
            lambda: any(each.client == name for each in self.protocols), "it is accepted"
        )
        return client

    def pass_time(self, seconds: float) -> None:
        """Look at the connections now, and as if so much time had passed."""
        now = asyncio.get_running_loop().time()
        for later in (0.0, seconds):
            for connection in [*self.state.connections]:
                assert isinstance(connection, BoundedProtocol)
                connection.check(now + later)

    async def has_read(self, size: int) -> None:
        """Wait until a connection has read this many bytes of a head or a body."""

        def is_read() -> bool:
            read = [(each._head_bytes, each._body_bytes) for each in self.state.connections]  # type: ignore[union-attr]
            return any(size in each for each in read)

        await async_wait_until(is_read, f"it has read {size} bytes")


@asynccontextmanager
async def serving(*, max_connections: int = 10) -> AsyncIterator[Served]:
    config = BoundedConfig(
        app, max_connections=max_connections, lifespan="off", log_config=None, access_log=False
    )
    config.load()
    state = ServerState()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        loop = asyncio.get_running_loop()
        protocols: list[BoundedProtocol] = []

        def new_protocol() -> BoundedProtocol:
            protocols.append(BoundedProtocol(config, state, {}))
            return protocols[-1]

        server = await loop.create_server(new_protocol, sock=sock)
        served = Served(address=sock.getsockname(), state=state, protocols=protocols)
        yield served
        server.close()
        for client in served.clients:
            client.writer.transport.abort()
        for each in [*state.connections]:
            each.transport.abort()
        await async_wait_until(lambda: not state.connections, "all connections are closed")


@run_in_loop
async def test_a_head_may_have_64_kib_and_no_more() -> None:
    async with serving() as served:
        for size, is_served in ((60 << 10, True), (70 << 10, False), (1 << 20, False)):
            for pieces in (1, 7):
                client = await served.connect()
                head = b"GET / HTTP/1.1\r\nX: " + b"x" * size + b"\r\n\r\n"
                step = len(head) // pieces + 1
                try:
                    for start in range(0, len(head), step):
                        await client.send(head[start : start + step])
                except ConnectionError:
                    assert not is_served
                expected = (200, b"ok") if is_served else (431, "head_too_large")
                got = client.answer() if is_served else client.problem()
                assert await got == expected, (size, pieces)


@run_in_loop
async def test_a_head_has_to_come_in_time_however_it_trickles() -> None:
    async with serving() as served:
        client = await served.connect()
        await client.send(GET[:1])
        await served.has_read(1)
        served.pass_time(9)
        await client.send(GET[1:2])
        await served.has_read(2)
        served.pass_time(11)
        assert await client.problem() == (408, "request_timed_out")


@run_in_loop
async def test_a_connection_that_sends_nothing_is_closed_without_a_word() -> None:
    async with serving() as served:
        client = await served.connect()
        served.pass_time(11)
        assert await client.is_over()


@run_in_loop
async def test_the_next_head_of_a_connection_has_to_come_in_time_too() -> None:
    async with serving() as served:
        client = await served.connect()
        await client.send(GET)
        assert await client.answer() == (200, b"ok")
        await client.send(GET[:5])
        await served.has_read(5)
        served.pass_time(11)
        assert await client.problem() == (408, "request_timed_out")


@pytest.mark.parametrize(("seconds", "is_served"), [(13, True), (15, False)])
@run_in_loop
async def test_a_body_has_to_come_at_a_minimum_rate(
    seconds: float,
    is_served: bool,  # noqa: FBT001 - a column of the table
) -> None:
    came = int(4 * connections.BODY_BYTES_PER_SECOND)
    async with serving() as served:
        client = await served.connect()
        await client.send(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (came + 1))
        await client.send(b"x" * came)
        await served.has_read(came)
        served.pass_time(seconds)
        if is_served:
            await client.send(b"x")
            assert await client.answer() == (200, b"ok")
        else:
            assert await client.problem() == (408, "request_timed_out")


@run_in_loop
async def test_connections_beyond_the_limit_are_refused_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(max_connections=2) as served:
        clients = [await served.connect() for _ in range(2)]
        for _ in range(5):
            refused = await served.connect()
            assert await refused.problem() == (503, "too_many_connections")
        await clients[0].send(GET)
        assert await clients[0].answer() == (200, b"ok")
        clients[0].writer.close()
        await async_wait_until(lambda: len(served.state.connections) == 1, "one has ended")
        another = await served.connect()
        await another.send(GET)
        assert await another.answer() == (200, b"ok")
    told = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(told) == 1


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
@run_in_loop
async def test_an_early_answer_is_read_though_the_body_goes_on(more: bytes) -> None:
    async with serving() as served:
        client = await served.connect()
        length = 1 << 20
        await client.send(b"POST /early HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (more, length))
        assert await client.answer() == (200, b"ok")
        await client.send(b"x" * length)
        if more:
            assert await client.is_over()
        else:
            await client.send(GET)
            assert await client.answer() == (200, b"ok")


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
@run_in_loop
async def test_at_most_a_mebibyte_of_the_rest_is_read(more: bytes) -> None:
    async with serving() as served:
        client = await served.connect()
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        head = b"POST /early HTTP/1.1\r\n%sContent-Length: 100000000\r\n\r\n" % more
        await client.send(head)
        assert await client.answer() == (200, b"ok")
        sent = 0
        with suppress(ConnectionError):
            while sent < LARGE:
                await client.send(b"x" * 65536)
                sent += 65536
        assert 1 << 20 <= sent < 2 << 20


@run_in_loop
async def test_the_rest_of_a_body_does_not_keep_a_connection() -> None:
    async with serving() as served:
        client = await served.connect()
        await client.send(b"POST /early HTTP/1.1\r\nContent-Length: 5\r\n\r\nx")
        assert await client.answer() == (200, b"ok")
        served.pass_time(11)
        assert await client.is_over()


@run_in_loop
async def test_a_client_that_does_not_read_is_disconnected() -> None:
    async with serving() as served:
        client = await served.connect()
        await client.send(b"GET /large HTTP/1.1\r\n\r\n")
        (connection,) = served.state.connections
        await async_wait_until(connection.transport.get_write_buffer_size, "the answer is stuck")
        served.pass_time(29)
        assert served.state.connections
        served.pass_time(31)
        await async_wait_until(lambda: not served.state.connections, "it is disconnected")
