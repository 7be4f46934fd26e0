"""The network sender against a server that follows the script of each test."""

import asyncio
from collections.abc import Callable

import pytest

from leanbe_emitter.delivery.network.transport import AnswerLimits, OutgoingRequest
from tests.support.event_loops import run_in_loop, run_in_virtual_time, takes_virtual_seconds
from tests.support.flooding_receiver import flood as flooding
from tests.support.network_sender import (
    BODY,
    open_sender,
    post,
    send_to_unknown,
    send_to_unreachable,
)
from tests.support.scripted_server import OK, Peer, head, run_script

# More than the buffers of any socket take.
LARGE = b"x" * 40_000_000
#: Of a loop in its own time, where the deadline is what the test is about.
SOON = 0.2


async def turn_loop_until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the sender's own state shows it."""
    while not condition():  # noqa: ASYNC110 - no event tells what the sender has read so far
        await asyncio.sleep(0)


# What goes out.


@run_in_loop
async def test_exactly_the_requests_headers_and_body_go_out() -> None:
    async def script(peer: Peer) -> None:
        received.append(await peer.request())
        await peer.write(OK)

    received: list[bytes] = []
    async with run_script(script) as server, open_sender() as transport:
        url = server.url("/é?q=1")
        await transport.send(
            OutgoingRequest(
                method="PUT", url=url, headers=(("hOST", "x"), ("Content-Length", "3")), body=b"abc"
            )
        )
    assert received == [b"PUT /%C3%A9?q=1 HTTP/1.1\r\nhOST: x\r\nContent-Length: 3\r\n\r\nabc"]


@pytest.mark.parametrize("header", [("X-A", "b\r\nX-C: d"), ("X-A\n", "b"), ("X-A", "€")])
@run_in_loop
async def test_a_header_that_could_end_early_never_goes_out(header: tuple[str, str]) -> None:
    async with run_script(Peer.serve) as server, open_sender() as transport:
        request = OutgoingRequest(method="POST", url=server.url(), headers=(header,), body=b"")
        assert "header" in await send_to_unreachable(transport, request)
        assert server.connections == 0


# How answers come, and do not come.


@run_in_loop
async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(head() + b"hello ")
        await peer.write(b"world")
        await peer.hang_up()

    async with run_script(script) as server, open_sender() as transport:
        answer = await transport.send(post(server.url()))
        assert (answer.body, answer.body_length) == (b"hello world", 11)


@run_in_loop
async def test_a_server_that_answers_and_half_closes_has_answered() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        peer.half_close()
        assert await peer.until_hung_up() == b""

    async with run_script(script) as server, open_sender() as transport:
        for _ in range(2):
            assert (await transport.send(post(server.url()))).status == 200
            await server.ended.get()
        assert server.connections == 2


@run_in_loop
async def test_a_server_that_half_closes_before_it_answers_is_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.half_close()
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        error = await send_to_unknown(transport, post(server.url()))
        assert error.reason == f"127.0.0.1:{server.port} closed the connection before it answered"


@pytest.mark.parametrize(
    ("start", "body"),
    [
        (head("Content-Length: 9") + b"hello", b"hello"),
        (head("Transfer-Encoding: chunked") + b"5\r\nhello\r\n", b"hello"),
        (head("Content-Length: 9"), b""),
    ],
)
@run_in_loop
async def test_an_answer_that_is_cut_off_is_unknown_and_what_came_is_kept(
    start: bytes, body: bytes
) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(start)
        await peer.hang_up()

    async with run_script(script) as server, open_sender() as transport:
        error = await send_to_unknown(transport, post(server.url()))
        assert error.reason.endswith("closed the connection in the middle of its answer")
        assert error.answer is not None
        assert (error.answer.status, error.answer.body) == (200, body)


@run_in_loop
async def test_a_reset_in_the_middle_of_an_answer_is_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(head() + b"hello")
        await come.wait()
        peer.reset()

    come = asyncio.Event()
    async with run_script(script) as server, open_sender() as transport:
        sending = asyncio.ensure_future(send_to_unknown(transport, post(server.url())))
        await turn_loop_until(lambda: any(one._reader.has_head for one in transport._open))
        come.set()
        assert "was reset in the middle of its answer" in (await sending).reason


@run_in_loop
async def test_an_answer_that_is_no_http_is_unknown_and_closes_the_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"220 mail.test ESMTP\r\n")
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        error = await send_to_unknown(transport, post(server.url()))
        assert "did not send an HTTP/1.1 answer" in error.reason
        await server.ended.get()


@run_in_loop
async def test_a_server_that_closes_at_once_is_unknown_once_bytes_went_out() -> None:
    async def script(peer: Peer) -> None:
        await peer.hang_up()

    async with run_script(script) as server, open_sender() as transport:
        error = await send_to_unknown(transport, post(server.url()))
        assert error.reason.endswith("before it answered")


@run_in_loop
async def test_a_huge_answer_is_read_to_its_end_and_kept_up_to_the_cap() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(head(f"Content-Length: {longest}") + LARGE[:longest])

    longest = 16_000_000
    async with (
        run_script(script) as server,
        open_sender(limits=AnswerLimits(answer_bytes=1000)) as transport,
    ):
        answer = await transport.send(post(server.url()))
        assert (answer.body, answer.body_length) == (LARGE[:1000], longest)


# One deadline.


@run_in_virtual_time
async def test_no_answer_within_the_time_is_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        with takes_virtual_seconds(SOON):
            error = await send_to_unknown(transport, post(server.url(), timeout_seconds=SOON))
        assert error.reason == "no complete answer within 0.2 s"
        await server.ended.get()


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-A: ", head("Content-Length: 99999999")])
@run_in_virtual_time
async def test_a_trickling_server_cannot_stretch_the_deadline(start: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(start)
        while True:
            await peer.write(b"x")
            await asyncio.sleep(SOON / 5)

    async with run_script(script) as server, open_sender() as transport:
        with takes_virtual_seconds(SOON):
            await send_to_unknown(transport, post(server.url(), timeout_seconds=SOON))


@run_in_loop
async def test_an_endless_answer_is_cut_off_after_16_mebibytes() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(head())
        while True:
            await peer.write(LARGE[:100_000])

    async with run_script(script) as server, open_sender() as transport:
        error = await send_to_unknown(transport, post(server.url()))
        assert error.reason.endswith("its answer: the answer has more than 16 MiB")
        assert error.answer is not None
        assert error.answer.body_length == pytest.approx(16 << 20, abs=8192)
        assert len(error.answer.body) == 65536


@pytest.mark.parametrize("flood", ["/interim", "/chunks"])
@run_in_loop
async def test_a_flood_is_given_up_and_lets_other_answers_pass(flood: str) -> None:
    """The other receiver answers in the middle of the flood: four floods cost it no second."""

    async def calm(peer: Peer) -> None:
        await peer.serve()

    async with (
        run_script(flooding) as flooder,
        run_script(calm) as receiver,
        open_sender() as transport,
    ):
        floods = [
            asyncio.ensure_future(send_to_unknown(transport, post(flooder.url(flood))))
            for _ in range(4)
        ]
        for _ in range(20):
            assert (await transport.send(post(receiver.url()))).status == 200
        assert not all(each.done() for each in floods)
        for error in await asyncio.gather(*floods):
            assert "more than" in error.reason


@run_in_loop
async def test_an_answer_that_is_parsed_in_turns_leaves_its_connection_usable() -> None:
    body = b"1\r\nx\r\n" * 40_000

    async def script(peer: Peer) -> None:
        await peer.answer(head("Transfer-Encoding: chunked") + body + b"0\r\n\r\n")
        await peer.answer()
        await peer.answer(head("Content-Length: 70000") + LARGE[:70_001])

    async with run_script(script) as server, open_sender() as transport:
        assert (await transport.send(post(server.url()))).body_length == 40_000
        assert (await transport.send(post(server.url()))).body == b"ok"
        assert (await transport.send(post(server.url()))).body_length == 70_000
        assert server.connections == 1
        # The surplus byte means that nobody knows what comes next on this connection.
        assert not transport._idle


@run_in_virtual_time
async def test_a_later_request_with_less_time_is_cut_off_at_its_own_deadline() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.request()
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        await transport.send(post(server.url(), timeout_seconds=60))
        with takes_virtual_seconds(SOON):
            await send_to_unknown(transport, post(server.url(), timeout_seconds=SOON))
        assert server.connections == 1


@run_in_virtual_time
async def test_a_connection_outlives_the_deadline_of_an_earlier_request() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.request()
        await asyncio.sleep(2 * SOON)
        await peer.write(OK)

    async with run_script(script) as server, open_sender() as transport:
        await transport.send(post(server.url(), timeout_seconds=SOON))
        assert (await transport.send(post(server.url()))).status == 200
        assert server.connections == 1


@run_in_virtual_time
async def test_a_name_that_is_not_resolved_in_time_is_unreachable() -> None:
    async def never(host: str, port: int) -> tuple[str, ...]:
        del host, port
        await asyncio.get_running_loop().create_future()
        return ()

    async with open_sender(resolve=never) as transport:
        request = post("http://slow.test/", timeout_seconds=SOON)
        with takes_virtual_seconds(SOON):
            reason = await send_to_unreachable(transport, request)
        assert reason == "the name slow.test was not resolved in time"


# The answer that comes while the request is still going out.


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
@run_in_loop
async def test_an_early_answer_counts_and_ends_the_connection(connection: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.write(
            head(f"Connection: {connection}", "Content-Length: 0", status="413 Too Large")
        )
        await done.wait()

    done = asyncio.Event()
    async with run_script(script) as server, open_sender() as transport:
        answer = await transport.send(post(server.url(), body=LARGE))
        assert answer.status == 413
        assert answer.remark == "it came before the whole request was out"
        [gone] = transport._open or [None]
        assert gone is None or not gone.is_usable()
        done.set()


@run_in_loop
async def test_an_early_answer_followed_by_a_reset_counts() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.write(head("Content-Length: 2", status="413 Too Large") + b"no")
        peer.reset()

    async with run_script(script) as server, open_sender() as transport:
        answer = await transport.send(post(server.url(), body=LARGE))
        assert (answer.status, answer.body) == (413, b"no")


@run_in_loop
async def test_the_answer_that_came_before_a_write_failed_is_read_out_of_the_socket() -> None:
    """Asyncio closes on a failed write without reading: here the write is made to fail first."""

    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        await peer.write(OK)
        peer.reset()

    go_on = asyncio.Event()
    async with run_script(script) as server, open_sender() as transport:
        sending = asyncio.ensure_future(transport.send(post(server.url(), body=LARGE)))
        await turn_loop_until(lambda: bool(transport._open))
        [connection] = transport._open
        connection._transport.pause_reading()
        go_on.set()
        assert (await sending).body == b"ok"


@run_in_loop
async def test_a_large_body_goes_out_whole_to_a_slow_reader() -> None:
    async def script(peer: Peer) -> None:
        received.append(len(await peer.request()))
        await peer.serve(OK)

    received: list[int] = []
    async with (
        run_script(lambda peer: slowly(peer, received)) as server,
        open_sender() as transport,
    ):
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
