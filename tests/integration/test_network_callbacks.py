"""Requests that the network sender sends without a task: as those with one, to the last byte."""

import asyncio
import socket

import pytest

from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import (
    Answer,
    CallbackTransport,
    OutgoingRequest,
    PreparedRequest,
    RequestInFlight,
    Unknown,
    Unreachable,
)
from leanbe_emitter.target_rules import TargetRules
from tests.support.event_loops import run_in_loop, run_in_virtual_time, takes_virtual_seconds
from tests.support.network_sender import BODY, open_sender, post, send_to_unknown
from tests.support.scripted_server import OK, Peer, head, run_script

SOON = 0.2


class Callback:
    """The end of a request."""

    def __init__(self) -> None:
        self.results: list[Answer | Unknown] = []
        self._came = asyncio.Event()

    def __call__(self, result: Answer | Unknown) -> None:
        self.results.append(result)
        self._came.set()

    async def result(self) -> Answer | Unknown:
        await self._came.wait()
        (result,) = self.results
        return result


def begin_on_idle_connection(
    prepared: PreparedRequest, callback: Callback, body: bytes = BODY
) -> RequestInFlight:
    """Begin a request for which a connection idles; nobody is told before this returns."""
    request = prepared.begin(body, callback)
    assert request is not None
    assert callback.results == []
    return request


async def ready(transport: Http1Transport, request: OutgoingRequest) -> PreparedRequest:
    """Let a connection idle; return what begins requests like this one."""
    await transport.send(request)
    return transport.prepare(request)


@run_in_loop
async def test_without_an_idle_connection_nothing_is_done() -> None:
    async with run_script(Peer.serve) as server, open_sender() as transport:
        assert isinstance(transport, CallbackTransport)
        assert transport.prepare(post(server.url())).begin(BODY, Callback()) is None
        assert server.connections == 0


@run_in_loop
async def test_the_same_bytes_go_out_and_the_same_answer_comes_back() -> None:
    async def script(peer: Peer) -> None:
        for _ in range(3):
            received.append(await peer.request())
            await peer.write(answer)

    answer = head("Content-Length: 4", "X-A: b", status="503 Busy") + b"busy"
    received: list[bytes] = []
    async with run_script(script) as server, open_sender() as transport:
        request = post(server.url(), extra=(("X-Team", "blue"),))
        sent = await transport.send(request)
        prepared = transport.prepare(request)
        for _ in range(2):
            callback = Callback()
            begin_on_idle_connection(prepared, callback)
            assert await callback.result() == sent
        assert received == [received[0]] * 3
        assert server.connections == 1


@run_in_loop
async def test_requests_of_one_kind_differ_in_their_bodies() -> None:
    async def script(peer: Peer) -> None:
        while True:
            received.append((await peer.request())[-len(BODY) :])
            await peer.write(OK)

    received: list[bytes] = []
    async with run_script(script) as server, open_sender() as transport:
        prepared = await ready(transport, post(server.url()))
        callback = Callback()
        begin_on_idle_connection(prepared, callback, BODY[::-1])
        await callback.result()
        assert received == [BODY, BODY[::-1]]


@pytest.mark.parametrize(
    "answer",
    {
        "no HTTP": b"220 mail.test ESMTP\r\n",
        "a part of an answer": head("Content-Length: 9") + b"half",
        "nothing": b"",
    }.values(),
    ids=["no HTTP", "a part of an answer", "nothing"],
)
@run_in_loop
async def test_an_incomplete_answer_is_unknown_in_the_same_words(answer: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.request()
        await peer.write(answer)
        await peer.hang_up()

    async with run_script(script) as server, open_sender() as transport:
        request = post(server.url())
        await transport.send(request)
        sent = await send_to_unknown(transport, request)
        callback = Callback()
        begin_on_idle_connection(await ready(transport, request), callback)
        came = await callback.result()
        assert isinstance(came, Unknown)
        assert (came.reason, came.answer) == (sent.reason, sent.answer)


@run_in_virtual_time
async def test_a_request_that_is_not_answered_ends_with_its_time() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        prepared = await ready(transport, post(server.url(), timeout_seconds=SOON))
        callback = Callback()
        with takes_virtual_seconds(SOON):
            begin_on_idle_connection(prepared, callback)
            came = await callback.result()
        assert isinstance(came, Unknown)
        assert came.reason == f"no complete answer within {SOON} s"
        assert prepared.begin(BODY, Callback()) is None


@run_in_virtual_time
async def test_a_request_that_is_cancelled_closes_its_connection_and_tells_nobody() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        prepared = await ready(transport, post(server.url()))
        callback = Callback()
        request = begin_on_idle_connection(prepared, callback)
        request.cancel()
        with takes_virtual_seconds(0):
            await server.ended.get()
        assert callback.results == []
        assert prepared.begin(BODY, Callback()) is None


@run_in_loop
async def test_a_request_that_is_over_cannot_be_cancelled() -> None:
    async with run_script(Peer.serve) as server, open_sender() as transport:
        prepared = await ready(transport, post(server.url()))
        first, second = Callback(), Callback()
        over = begin_on_idle_connection(prepared, first)
        await first.result()
        begin_on_idle_connection(prepared, second)
        over.cancel()
        assert isinstance(await second.result(), Answer)
        assert server.connections == 1


@run_in_loop
async def test_a_connection_that_takes_no_byte_is_none_that_idles() -> None:
    async with run_script(Peer.serve) as server, open_sender() as transport:
        prepared = await ready(transport, post(server.url()))
        [connection] = transport._open
        # Nothing can be written any more, and the loop does not know it yet.
        with socket.socket(fileno=socket.dup(connection._socket.fileno())) as ours:
            ours.shutdown(socket.SHUT_WR)
        callback = Callback()
        assert prepared.begin(BODY, callback) is None
        await transport.send(post(server.url()))
        assert callback.results == []


@run_in_loop
async def test_after_an_odd_answer_the_connection_is_not_used_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.answer(OK + b"more")
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        prepared = await ready(transport, post(server.url()))
        callback = Callback()
        begin_on_idle_connection(prepared, callback)
        assert isinstance(await callback.result(), Answer)
        assert prepared.begin(BODY, Callback()) is None


@run_in_loop
async def test_the_connection_idles_again_when_the_callback_is_called() -> None:
    async with run_script(Peer.serve) as server, open_sender() as transport:
        prepared = await ready(transport, post(server.url()))
        callback, next_callback = Callback(), Callback()

        def go_on(result: Answer | Unknown) -> None:
            callback(result)
            assert prepared.begin(BODY, next_callback) is not None

        assert prepared.begin(BODY, go_on) is not None
        assert isinstance(await next_callback.result(), Answer)
        assert server.connections == 1


@run_in_loop
async def test_a_request_in_flight_when_the_sender_closes_is_unknown() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer()
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        prepared = await ready(transport, post(server.url()))
        callback = Callback()
        begin_on_idle_connection(prepared, callback)
        await transport.aclose()
        came = await callback.result()
        assert isinstance(came, Unknown)
        assert came.reason == "the sender was closed before the answer came"


def test_a_forbidden_target_cannot_be_prepared() -> None:
    transport = Http1Transport(rules=TargetRules())
    with pytest.raises(Unreachable):
        transport.prepare(post("http://169.254.169.254/latest"))
