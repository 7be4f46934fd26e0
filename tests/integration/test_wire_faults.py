"""Faults that need the wire: what a server sees, byte by byte, and what becomes of the attempt."""

import asyncio

import pytest

from leanbe_emitter import Leanbe
from leanbe_emitter.delivery.network.transport import Answer, Unknown, Unreachable, WireFault
from leanbe_emitter.wire.faults.catalogue import FaultSpec
from tests.support.event_loops import run_in_loop, run_in_virtual_time, takes_virtual_seconds
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.network_sender import open_sender, post
from tests.support.scripted_server import OK, Peer, ScriptedServer, run_script
from tests.support.waiting import PATIENCE_SECONDS

BODY = b'{"payload":"' + b"x" * 40 + b'"}'
SLOW = WireFault(body_seconds=0.05)
CLOSE, RESET = WireFault(hang_up="close"), WireFault(hang_up="reset")


async def send_with(
    server: ScriptedServer, fault: WireFault, *, body: bytes = BODY, timeout_seconds: float = 10
) -> Answer:
    async with open_sender() as transport:
        request = post(server.url(), body=body, timeout_seconds=timeout_seconds)
        return await transport.send_with_fault(request, fault)


@run_in_virtual_time
async def test_a_slow_body_comes_in_pieces_and_is_whole() -> None:
    pieces: list[bytes] = []

    async def take(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        while len(b"".join(pieces)) < len(BODY):
            pieces.append(await peer.reader.read(1000))
        await peer.write(OK)

    async with run_script(take) as server:
        with takes_virtual_seconds(SLOW.body_seconds):
            answer = await send_with(server, SLOW)
    assert (answer.status, answer.body) == (200, b"ok")
    assert b"".join(pieces) == BODY
    assert len(pieces) > 1


@run_in_virtual_time
@pytest.mark.parametrize("body", [b"", b"1", b"x" * 7])
async def test_a_short_body_can_be_slow_too(body: bytes) -> None:
    got = []

    async def take(peer: Peer) -> None:
        got.append(await peer.request())
        await peer.write(OK)

    async with run_script(take) as server:
        assert (await send_with(server, SLOW, body=body)).status == 200
    assert got[0].endswith(b"\r\n\r\n" + body)


@run_in_virtual_time
async def test_a_body_slower_than_the_timeout_is_broken_off_then() -> None:
    async with run_script(Peer.serve) as server:
        with (
            takes_virtual_seconds(0.05),
            pytest.raises(Unknown, match=r"no complete answer within 0\.05 s"),
        ):
            await send_with(server, WireFault(body_seconds=60), timeout_seconds=0.05)
        await server.ended.get()


@run_in_virtual_time
async def test_a_receiver_may_answer_before_the_body_is_there() -> None:
    async def hasty(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        rest.append(await peer.until_hung_up())

    rest: list[bytes] = []
    async with run_script(hasty) as server:
        with takes_virtual_seconds(0):
            assert (await send_with(server, WireFault(body_seconds=60))).status == 413
        await server.ended.get()
    assert rest == [b""]


@run_in_loop
@pytest.mark.parametrize(("fault", "how"), [(CLOSE, "closed"), (RESET, "reset")])
async def test_we_hang_up_before_the_answer(fault: WireFault, how: str) -> None:
    got: list[bytes] = []

    async def wait(peer: Peer) -> None:
        try:
            got.append(await peer.reader.read(-1))
        except ConnectionResetError:
            got.append(b"reset")

    async with run_script(wait) as server:
        with pytest.raises(Unknown, match=rf"we {how} the connection before the answer \(a fault"):
            await send_with(server, fault)
        await server.ended.get()
    assert got[0].endswith(BODY) if fault is CLOSE else got == [b"reset"]


@run_in_loop
async def test_a_large_request_is_whole_though_we_hang_up() -> None:
    body = b"x" * 4_000_000
    got = []

    async def wait(peer: Peer) -> None:
        got.append(await peer.request())

    async with run_script(wait) as server:
        with pytest.raises(Unknown, match="we closed"):
            await send_with(server, CLOSE, body=body)
        await server.ended.get()
    assert got[0].endswith(body)


@run_in_loop
async def test_a_connection_is_used_for_one_fault_and_for_nothing_else() -> None:
    async with run_script(Peer.serve) as server, open_sender() as transport:
        for _ in range(2):
            assert (await transport.send(post(server.url()))).status == 200
        assert server.connections == 1
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await transport.send_with_fault(post(server.url()), SLOW)).status == 200
            await server.ended.get()
        assert (await transport.send(post(server.url()))).status == 200
        assert server.connections == 2


@run_in_loop
async def test_a_wire_fault_without_a_listener_is_unreachable() -> None:
    async with run_script(Peer.serve) as server:
        url = server.url()
    async with open_sender() as transport:
        with pytest.raises(Unreachable, match="refused"):
            await transport.send_with_fault(post(url), SLOW)


@run_in_loop
async def test_a_slow_one_that_is_cancelled_closes_its_connection() -> None:
    begun = asyncio.Event()

    async def wait(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        begun.set()
        await peer.until_hung_up()

    async with run_script(wait) as server:
        task = asyncio.create_task(send_with(server, WireFault(body_seconds=60)))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.ended.get()


@pytest.mark.parametrize(
    ("kind", "came_to"),
    [
        ("slow_body:20ms", ("delivered", 204)),
        ("connection_closed", ("unknown", None)),
        ("connection_closed:reset", ("unknown", None)),
        ("slow_body:20ms+connection_closed", ("unknown", None)),
        ("slow_body:20ms+receiver_fails_after_call:status:500", ("refused", 500)),
        ("slow_body:20ms+wrong_secret+delivered_twice", ("delivered", 204)),
    ],
)
def test_a_fault_of_the_wire_is_on_record(
    kind: str, came_to: tuple[str, int | None], receiver: LoopbackReceiver
) -> None:
    with Leanbe() as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url)
        leanbe.faults.add(kind)
        first = leanbe.trigger("idea.created").attempts[0]
    assert (first.outcome, first.answer_status) == came_to
    assert first.fault == str(FaultSpec.parse(kind))
