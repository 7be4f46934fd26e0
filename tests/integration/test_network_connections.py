"""Connections that the network sender uses again, and their end with it."""

import asyncio
import gc
import socket
import warnings

import pytest

from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import TlsSettings
from leanbe_emitter.target_rules import TargetRules
from tests.support.event_loops import run_in_loop, run_in_virtual_time, takes_virtual_seconds
from tests.support.network_sender import open_sender, post, send_to_unknown
from tests.support.receiver_servers import python_server
from tests.support.scripted_server import OK, Peer, head, run_script

#: Of a loop in its own time, where time is what the test is about.
SOON = 0.2


# What is used again, and what is not.


@run_in_loop
async def test_a_connection_is_used_again_after_a_clean_answer() -> None:
    async with run_script(Peer.serve) as server, open_sender() as transport:
        for _ in range(5):
            assert (await transport.send(post(server.url()))).body == b"ok"
        assert server.connections == 1


@run_in_loop
async def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    async with run_script(Peer.serve) as server, open_sender() as transport:
        for _ in range(3):
            await asyncio.gather(*(transport.send(post(server.url())) for _ in range(8)))
        assert server.connections == 8


@run_in_loop
async def test_a_connection_is_used_for_its_own_host_port_and_tls_only() -> None:
    async with run_script(Peer.serve) as server, open_sender() as transport:
        await transport.send(post(server.url()))
        await transport.send(post(server.url(host="localhost")))
        await transport.send(post(server.url(), tls=TlsSettings(insecure=True)))
        assert server.connections == 3


CLEAN = {
    "a chunked answer": head("Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n",
    "a 204": head(status="204 No Content"),
    "a 304": head("Content-Length: 7", status="304 Not Modified"),
    "a 1xx before the answer": head(status="100 Continue") + head(status="103 Early Hints") + OK,
    "a refusal": head("Content-Length: 0", status="500 Internal Server Error"),
    "a huge answer": head("Content-Length: 3000000") + b"x" * 3_000_000,
}


@pytest.mark.parametrize("answer", CLEAN.values(), ids=CLEAN)
@run_in_loop
async def test_a_connection_stays_after(answer: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(answer)
        await peer.serve()

    async with run_script(script) as server, open_sender() as transport:
        await transport.send(post(server.url()))
        await transport.send(post(server.url()))
        assert server.connections == 1


ODD = {
    "Connection: close": head("Connection: close", "Content-Length: 2") + b"ok",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "bytes after a complete answer": OK + b"more",
    "a line break after a complete answer": OK + b"\r\n",
    "two answers at once": OK + OK,
    "an upgrade": head("Upgrade: x", "Connection: upgrade", status="101 Switching Protocols"),
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
@run_in_loop
async def test_a_connection_is_never_used_again_after(answer: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(answer)
        assert await peer.until_hung_up() == b""

    async with run_script(script) as server, open_sender() as transport:
        for _ in range(2):
            assert (await transport.send(post(server.url()))).status in {200, 101}
            await server.ended.get()
        assert server.connections == 2


@run_in_loop
async def test_a_connection_on_which_something_came_unasked_is_never_used_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await answered.wait()
        await peer.write(head("Content-Length: 0", status="408 Request Timeout"))
        assert await peer.until_hung_up() == b""

    async with run_script(script) as server, open_sender() as transport:
        for _ in range(2):
            answered = asyncio.Event()
            assert (await transport.send(post(server.url()))).status == 200
            answered.set()
            await server.ended.get()
        assert server.connections == 2


@run_in_loop
async def test_a_server_that_closes_an_idle_connection_costs_no_delivery() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.hang_up()

    async with run_script(script) as server, open_sender() as transport:
        for _ in range(3):
            assert (await transport.send(post(server.url()))).status == 200
            await server.ended.get()
        assert server.connections == 3


@run_in_loop
async def test_a_connection_that_idled_is_asked_before_it_is_used() -> None:
    """The loop is held up, so that it cannot have heard of the close when the next one is sent."""

    async def script(peer: Peer) -> None:
        peers.append(peer)
        await peer.serve()

    peers: list[Peer] = []
    async with run_script(script) as server, open_sender() as transport:
        await transport.send(post(server.url()))
        sock = peers[0].writer.get_extra_info("socket")
        with socket.socket(fileno=socket.dup(sock.fileno())) as theirs:
            theirs.shutdown(socket.SHUT_RDWR)
        assert (await transport.send(post(server.url()))).status == 200
        assert server.connections == 2


@run_in_virtual_time
async def test_an_idle_connection_is_closed_in_time() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender(idle_seconds=SOON / 4) as transport:
        with takes_virtual_seconds(SOON):
            await transport.send(post(server.url(), timeout_seconds=SOON))
            await server.ended.get()
        await transport.send(post(server.url()))
        assert server.connections == 2


@run_in_loop
async def test_a_connection_that_idled_too_long_is_not_used_even_if_it_is_still_open() -> None:
    async with run_script(Peer.serve) as server, open_sender(idle_seconds=0) as transport:
        await transport.send(post(server.url()))
        await transport.send(post(server.url()))
        assert server.connections == 2


@run_in_loop
async def test_a_used_connection_that_dies_unanswered_is_unknown_and_nothing_is_sent_again() -> (
    None
):
    async def script(peer: Peer) -> None:
        received.append(await peer.request())
        await peer.write(OK)
        received.append(await peer.request())
        peer.reset()

    received: list[bytes] = []
    async with run_script(script) as server, open_sender() as transport:
        await transport.send(post(server.url()))
        error = await send_to_unknown(transport, post(server.url()))
        assert error.reason.endswith("was reset before it answered")
        assert error.answer is None
        assert len(received) == 2
        assert server.connections == 1


@run_in_loop
async def test_a_used_connection_that_takes_no_byte_is_replaced_and_the_request_sent_once() -> None:
    async def script(peer: Peer) -> None:
        peers.append(peer)
        await peer.serve()

    peers: list[Peer] = []
    async with run_script(script) as server, open_sender() as transport:
        await transport.send(post(server.url()))
        [connection] = transport._open
        descriptor = connection._socket.fileno()
        # Nothing can be written any more, and the loop does not know it yet.
        with socket.socket(fileno=socket.dup(descriptor)) as ours:
            ours.shutdown(socket.SHUT_WR)
        assert (await transport.send(post(server.url()))).status == 200
        assert server.connections == 2


# The end of the sender, and of its loop.


@run_in_virtual_time
async def test_a_cancelled_send_closes_its_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        arrived.set()
        await peer.until_hung_up()

    arrived = asyncio.Event()
    async with run_script(script) as server, open_sender() as transport:
        sending = asyncio.ensure_future(transport.send(post(server.url())))
        await arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        with takes_virtual_seconds(0):  # not only when the request's own time is up
            await server.ended.get()


@run_in_loop
async def test_closing_the_sender_ends_what_is_in_flight_as_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        arrived.set()
        await peer.until_hung_up()

    arrived = asyncio.Event()
    async with run_script(script) as server, open_sender() as transport:
        sending = asyncio.ensure_future(send_to_unknown(transport, post(server.url())))
        await arrived.wait()
        await transport.aclose()
        assert not transport._open
        assert (await sending).reason == "the sender was closed before the answer came"


@pytest.mark.usefixtures("own_garbage")
def test_one_loop_may_be_run_several_times_and_closed_right_after_the_sender() -> None:
    loop = asyncio.new_event_loop()
    transport = Http1Transport(rules=TargetRules())
    with python_server() as url, warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ports = {
            loop.run_until_complete(transport.send(post(f"{url}/port"))).body for _ in range(3)
        }
        loop.run_until_complete(transport.aclose())
        loop.close()
        gc.collect()
    assert len(ports) == 1
    assert not seen


def test_a_sender_may_go_on_in_another_loop_and_uses_no_connection_of_the_first() -> None:
    one, other = asyncio.new_event_loop(), asyncio.new_event_loop()
    transport = Http1Transport(rules=TargetRules())
    with python_server() as url:
        ports = {
            loop.run_until_complete(transport.send(post(f"{url}/port"))).body
            for loop in (one, other, one)
        }
        assert len(ports) == 3
        other.run_until_complete(asyncio.sleep(0))  # it closes what it was told to give up
        one.run_until_complete(transport.aclose())
    one.close()
    other.close()


def test_a_sender_survives_the_end_of_its_loop() -> None:
    transport = Http1Transport(rules=TargetRules())

    async def once(url: str) -> bytes:
        answer = await transport.send(post(f"{url}/port"))
        await transport.aclose()
        return answer.body

    with python_server() as url:
        assert asyncio.run(once(url)) != asyncio.run(once(url))
