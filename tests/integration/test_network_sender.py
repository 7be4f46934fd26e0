"""The network sender against a server that does exactly what each test says."""

import asyncio
import gc
import socket
import warnings
from collections.abc import Callable

import pytest

from leanbe_emitter.delivery.http1 import Http1Transport
from leanbe_emitter.delivery.transport import OutgoingRequest, TlsSettings, Unknown, Unreachable
from leanbe_emitter.targets import TargetRules
from tests.loops import on_a_loop
from tests.scripted import OK, Peer, scripted
from tests.sending import BODY, post, sender
from tests.servers import python_server

# More than the buffers of any socket take.
LARGE = b"x" * 40_000_000
#: A real deadline, where the deadline is what the test is about.
SOON = 0.2


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


async def unknown(transport: Http1Transport, request: OutgoingRequest) -> Unknown:
    with pytest.raises(Unknown) as caught:
        await transport.send(request)
    return caught.value


async def unreachable(transport: Http1Transport, request: OutgoingRequest) -> str:
    with pytest.raises(Unreachable) as caught:
        await transport.send(request)
    return caught.value.reason


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the sender's own state shows it."""
    while not condition():  # noqa: ASYNC110 - no event tells what the sender has read so far
        await asyncio.sleep(0)


# What goes out.


@on_a_loop
async def test_exactly_the_requests_headers_and_body_go_out() -> None:
    async def script(peer: Peer) -> None:
        received.append(await peer.request())
        await peer.write(OK)

    received: list[bytes] = []
    async with scripted(script) as server, sender() as transport:
        url = server.url("/é?q=1")
        await transport.send(
            OutgoingRequest(
                method="PUT", url=url, headers=(("hOST", "x"), ("Content-Length", "3")), body=b"abc"
            )
        )
    assert received == [b"PUT /%C3%A9?q=1 HTTP/1.1\r\nhOST: x\r\nContent-Length: 3\r\n\r\nabc"]


@pytest.mark.parametrize("header", [("X-A", "b\r\nX-C: d"), ("X-A\n", "b"), ("X-A", "€")])
@on_a_loop
async def test_a_header_that_could_end_early_never_goes_out(header: tuple[str, str]) -> None:
    async with scripted(Peer.serve) as server, sender() as transport:
        request = OutgoingRequest(method="POST", url=server.url(), headers=(header,), body=b"")
        assert "header" in await unreachable(transport, request)
        assert server.connections == 0


# Keep-alive.


@on_a_loop
async def test_a_connection_is_used_again_after_a_clean_answer() -> None:
    async with scripted(Peer.serve) as server, sender() as transport:
        for _ in range(5):
            assert (await transport.send(post(server.url()))).body == b"ok"
        assert server.connections == 1


@on_a_loop
async def test_requests_at_the_same_time_have_connections_of_their_own() -> None:
    async with scripted(Peer.serve) as server, sender() as transport:
        for _ in range(3):
            await asyncio.gather(*(transport.send(post(server.url())) for _ in range(8)))
        assert server.connections == 8


@on_a_loop
async def test_a_connection_is_used_for_its_own_host_port_and_tls_only() -> None:
    async with scripted(Peer.serve) as server, sender() as transport:
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
@on_a_loop
async def test_a_connection_stays_after(answer: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(answer)
        await peer.serve()

    async with scripted(script) as server, sender() as transport:
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
@on_a_loop
async def test_a_connection_is_never_used_again_after(answer: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(answer)
        assert await peer.until_hung_up() == b""

    async with scripted(script) as server, sender() as transport:
        for _ in range(2):
            assert (await transport.send(post(server.url()))).status in {200, 101}
            await server.ended.get()
        assert server.connections == 2


@on_a_loop
async def test_a_connection_on_which_something_came_unasked_is_never_used_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK)
        await answered.wait()
        await peer.write(head("Content-Length: 0", status="408 Request Timeout"))
        assert await peer.until_hung_up() == b""

    async with scripted(script) as server, sender() as transport:
        for _ in range(2):
            answered = asyncio.Event()
            assert (await transport.send(post(server.url()))).status == 200
            answered.set()
            await server.ended.get()
        assert server.connections == 2


@on_a_loop
async def test_a_server_that_closes_an_idle_connection_costs_no_delivery() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK)
        await peer.hang_up()

    async with scripted(script) as server, sender() as transport:
        for _ in range(3):
            assert (await transport.send(post(server.url()))).status == 200
            await server.ended.get()
        assert server.connections == 3


@on_a_loop
async def test_a_connection_that_idled_is_asked_before_it_is_used() -> None:
    """The loop is held up, so that it cannot have heard of the close when the next one is sent."""

    async def script(peer: Peer) -> None:
        peers.append(peer)
        await peer.serve()

    peers: list[Peer] = []
    async with scripted(script) as server, sender() as transport:
        await transport.send(post(server.url()))
        sock = peers[0].writer.get_extra_info("socket")
        with socket.socket(fileno=socket.dup(sock.fileno())) as theirs:
            theirs.shutdown(socket.SHUT_RDWR)
        assert (await transport.send(post(server.url()))).status == 200
        assert server.connections == 2


@on_a_loop
async def test_an_idle_connection_is_closed_in_time() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK)
        await peer.until_hung_up()

    async with scripted(script) as server, sender(idle_seconds=SOON / 4) as transport:
        await transport.send(post(server.url(), timeout_seconds=SOON))
        await server.ended.get()
        await transport.send(post(server.url()))
        assert server.connections == 2


@on_a_loop
async def test_a_connection_that_idled_too_long_is_not_used_even_if_it_is_still_open() -> None:
    async with scripted(Peer.serve) as server, sender(idle_seconds=0) as transport:
        await transport.send(post(server.url()))
        await transport.send(post(server.url()))
        assert server.connections == 2


@on_a_loop
async def test_a_used_connection_that_dies_unanswered_is_unknown_and_nothing_is_sent_again() -> (
    None
):
    async def script(peer: Peer) -> None:
        received.append(await peer.request())
        await peer.write(OK)
        received.append(await peer.request())
        peer.reset()

    received: list[bytes] = []
    async with scripted(script) as server, sender() as transport:
        await transport.send(post(server.url()))
        error = await unknown(transport, post(server.url()))
        assert error.reason.endswith("was reset before it answered")
        assert error.answer is None
        assert len(received) == 2
        assert server.connections == 1


@on_a_loop
async def test_a_used_connection_that_takes_no_byte_is_replaced_and_the_request_sent_once() -> None:
    async def script(peer: Peer) -> None:
        peers.append(peer)
        await peer.serve()

    peers: list[Peer] = []
    async with scripted(script) as server, sender() as transport:
        await transport.send(post(server.url()))
        [connection] = transport._open
        descriptor = connection._descriptor()
        # Nothing can be written any more, and the loop does not know it yet.
        with socket.socket(fileno=socket.dup(descriptor)) as ours:
            ours.shutdown(socket.SHUT_WR)
        assert (await transport.send(post(server.url()))).status == 200
        assert server.connections == 2


# How answers come, and do not come.


@on_a_loop
async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(head() + b"hello ")
        await peer.write(b"world")
        await peer.hang_up()

    async with scripted(script) as server, sender() as transport:
        answer = await transport.send(post(server.url()))
        assert (answer.body, answer.body_length) == (b"hello world", 11)


@on_a_loop
async def test_a_server_that_answers_and_half_closes_has_answered() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK)
        peer.half_close()
        assert await peer.until_hung_up() == b""

    async with scripted(script) as server, sender() as transport:
        for _ in range(2):
            assert (await transport.send(post(server.url()))).status == 200
            await server.ended.get()
        assert server.connections == 2


@on_a_loop
async def test_a_server_that_half_closes_before_it_answers_is_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.half_close()
        await peer.until_hung_up()

    async with scripted(script) as server, sender() as transport:
        error = await unknown(transport, post(server.url()))
        assert error.reason == f"127.0.0.1:{server.port} closed the connection before it answered"


@pytest.mark.parametrize(
    ("start", "body"),
    [
        (head("Content-Length: 9") + b"hello", b"hello"),
        (head("Transfer-Encoding: chunked") + b"5\r\nhello\r\n", b"hello"),
        (head("Content-Length: 9"), b""),
    ],
)
@on_a_loop
async def test_an_answer_that_is_cut_off_is_unknown_and_what_came_is_kept(
    start: bytes, body: bytes
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(start)
        await peer.hang_up()

    async with scripted(script) as server, sender() as transport:
        error = await unknown(transport, post(server.url()))
        assert error.reason.endswith("closed the connection in the middle of its answer")
        assert error.answer is not None
        assert (error.answer.status, error.answer.body) == (200, body)


@on_a_loop
async def test_a_reset_in_the_middle_of_an_answer_is_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(head() + b"hello")
        await come.wait()
        peer.reset()

    come = asyncio.Event()
    async with scripted(script) as server, sender() as transport:
        sending = asyncio.ensure_future(unknown(transport, post(server.url())))
        await until(lambda: any(one._reader.has_head for one in transport._open))
        come.set()
        assert "was reset in the middle of its answer" in (await sending).reason


@on_a_loop
async def test_what_is_no_http_is_unknown_and_the_connection_is_closed() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(b"220 mail.test ESMTP\r\n")
        await peer.until_hung_up()

    async with scripted(script) as server, sender() as transport:
        error = await unknown(transport, post(server.url()))
        assert "sent what is no HTTP/1.1 answer" in error.reason
        await server.ended.get()


@on_a_loop
async def test_a_server_that_closes_at_once_is_unknown_once_bytes_went_out() -> None:
    async def script(peer: Peer) -> None:
        await peer.hang_up()

    async with scripted(script) as server, sender() as transport:
        error = await unknown(transport, post(server.url()))
        assert error.reason.endswith("before it answered")


@on_a_loop
async def test_a_huge_answer_is_read_to_its_end_and_kept_up_to_the_cap() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(head(f"Content-Length: {len(LARGE)}") + LARGE)

    async with scripted(script) as server, sender(kept_answer_bytes=1000) as transport:
        answer = await transport.send(post(server.url()))
        assert (answer.body, answer.body_length) == (LARGE[:1000], len(LARGE))


# One deadline.


@on_a_loop
async def test_no_answer_within_the_time_is_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.until_hung_up()

    async with scripted(script) as server, sender() as transport:
        error = await unknown(transport, post(server.url(), timeout_seconds=SOON))
        assert error.reason == "no complete answer within 0.2 s"
        await server.ended.get()


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-A: ", head("Content-Length: 99999999")])
@on_a_loop
async def test_a_trickling_server_cannot_stretch_the_deadline(start: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(start)
        while True:
            await peer.write(b"x")
            await asyncio.sleep(SOON / 20)

    async with scripted(script) as server, sender() as transport:
        before = asyncio.get_running_loop().time()
        await unknown(transport, post(server.url(), timeout_seconds=SOON))
        assert asyncio.get_running_loop().time() - before < 5 * SOON


@on_a_loop
async def test_an_endless_answer_is_cut_off_at_the_deadline() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(head())
        while True:
            await peer.write(LARGE[:100_000])

    async with scripted(script) as server, sender() as transport:
        error = await unknown(transport, post(server.url(), timeout_seconds=SOON))
        assert error.answer is not None
        assert error.answer.body_length > len(error.answer.body) == 65536


@on_a_loop
async def test_a_later_request_with_less_time_is_cut_off_at_its_own_deadline() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK)
        await peer.request()
        await peer.until_hung_up()

    async with scripted(script) as server, sender() as transport:
        await transport.send(post(server.url(), timeout_seconds=60))
        await unknown(transport, post(server.url(), timeout_seconds=SOON))
        assert server.connections == 1


@on_a_loop
async def test_a_connection_outlives_the_deadline_of_an_earlier_request() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK)
        await peer.request()
        await asyncio.sleep(2 * SOON)
        await peer.write(OK)

    async with scripted(script) as server, sender() as transport:
        await transport.send(post(server.url(), timeout_seconds=SOON))
        assert (await transport.send(post(server.url()))).status == 200
        assert server.connections == 1


@on_a_loop
async def test_a_name_that_is_not_resolved_in_time_is_unreachable() -> None:
    async def never(host: str, port: int) -> tuple[str, ...]:
        del host, port
        await asyncio.get_running_loop().create_future()
        return ()

    async with sender(resolve=never) as transport:
        request = post("http://slow.test/", timeout_seconds=SOON)
        assert (
            await unreachable(transport, request) == "the name slow.test was not resolved in time"
        )


# The answer that comes while the request is still going out.


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
@on_a_loop
async def test_an_early_answer_counts_and_ends_the_connection(connection: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.write(
            head(f"Connection: {connection}", "Content-Length: 0", status="413 Too Large")
        )
        await done.wait()

    done = asyncio.Event()
    async with scripted(script) as server, sender() as transport:
        answer = await transport.send(post(server.url(), body=LARGE))
        assert answer.status == 413
        assert answer.remark == "it came before the whole request was out"
        [gone] = transport._open or [None]
        assert gone is None or not gone.is_usable()
        done.set()


@on_a_loop
async def test_an_early_answer_followed_by_a_reset_counts() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.write(head("Content-Length: 2", status="413 Too Large") + b"no")
        peer.reset()

    async with scripted(script) as server, sender() as transport:
        answer = await transport.send(post(server.url(), body=LARGE))
        assert (answer.status, answer.body) == (413, b"no")


@on_a_loop
async def test_the_answer_that_came_before_a_write_failed_is_read_out_of_the_socket() -> None:
    """Asyncio closes on a failed write without reading: here the write is made to fail first."""

    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        await peer.write(OK)
        peer.reset()

    go_on = asyncio.Event()
    async with scripted(script) as server, sender() as transport:
        sending = asyncio.ensure_future(transport.send(post(server.url(), body=LARGE)))
        await until(lambda: bool(transport._open))
        [connection] = transport._open
        connection._transport.pause_reading()
        go_on.set()
        assert (await sending).body == b"ok"


@on_a_loop
async def test_a_large_body_goes_out_whole_to_a_slow_reader() -> None:
    async def script(peer: Peer) -> None:
        received.append(len(await peer.request()))
        await peer.serve(OK)

    received: list[int] = []
    async with scripted(lambda peer: slowly(peer, received)) as server, sender() as transport:
        assert (await transport.send(post(server.url(), body=LARGE))).status == 200
        assert (await transport.send(post(server.url()))).status == 200
        assert received == [len(LARGE), len(BODY)]
        assert server.connections == 1


async def slowly(peer: Peer, received: list[int]) -> None:
    while True:
        await peer.reader.readuntil(b"\r\n\r\n")
        length = len(BODY) if received else len(LARGE)
        received.append(len(await peer.reader.readexactly(length)))
        await peer.write(OK)


# Life of the sender.


@on_a_loop
async def test_a_cancelled_send_closes_its_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        arrived.set()
        await peer.until_hung_up()

    arrived = asyncio.Event()
    async with scripted(script) as server, sender() as transport:
        sending = asyncio.ensure_future(transport.send(post(server.url())))
        await arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        async with asyncio.timeout(2):  # not only when the request's own time is up
            await server.ended.get()


@on_a_loop
async def test_closing_the_sender_ends_what_is_in_flight_as_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        arrived.set()
        await peer.until_hung_up()

    arrived = asyncio.Event()
    async with scripted(script) as server, sender() as transport:
        sending = asyncio.ensure_future(unknown(transport, post(server.url())))
        await arrived.wait()
        await transport.aclose()
        assert not transport._open
        assert (await sending).reason == "the sender was closed before the answer came"


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
