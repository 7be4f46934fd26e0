"""Receivers that misbehave, and a worker as a process of its own.

Each trouble is on record as what it was, costs its neighbours nothing, and the worker comes back to
it by itself.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from leanbe_emitter import Delivery, Leanbe, Outcome, TriggerRequest
from leanbe_emitter.storage.schema.tables import AttemptRow
from tests.support.command_line import PROGRAM, run_process
from tests.support.event_loops import run_in_loop
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.rebinding_worker import NAME
from tests.support.scripted_server import OK, Peer, Script, run_script

pytestmark = pytest.mark.prove

HERE = Path(__file__).parents[2]
GIGABYTE = 1 << 30
PIECE = 1 << 20
#: A worker that may have a quarter of that in memory.
FRUGAL = ("sh", "-c", f'ulimit -d {GIGABYTE // 4 // 1024} && exec "$0" "$@"', *PROGRAM)


@pytest.fixture
def db(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


async def never_answers(peer: Peer) -> None:
    await peer.request()
    await peer.until_hung_up()


async def trickles(peer: Peer) -> None:
    """A byte of its answer at a time, and never the last of it."""
    await peer.answer(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        await peer.write(b"x")
        await asyncio.sleep(0.05)


async def closes_before_it_reads(peer: Peer) -> None:
    await peer.hang_up()


async def closes_before_it_answers(peer: Peer) -> None:
    await peer.request()
    await peer.hang_up()


async def closes_in_the_middle_of_its_answer(peer: Peer) -> None:
    await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await peer.hang_up()


async def resets(peer: Peer) -> None:
    await peer.request()
    peer.reset()


async def speaks_no_http(peer: Peer) -> None:
    await peer.answer(b"220 mail.test ESMTP\r\n")
    await peer.until_hung_up()


async def contradicts_itself(peer: Peer) -> None:
    await peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")
    await peer.until_hung_up()


#: What each does, and what is on record of it.
TROUBLES: Mapping[Script, str] = {
    never_answers: "no complete answer within 3 s",
    trickles: "no complete answer within 3 s",
    closes_before_it_reads: "before it answered",
    closes_before_it_answers: "closed the connection before it answered",
    closes_in_the_middle_of_its_answer: "closed the connection in the middle of its answer",
    resets: "was reset before it answered",
    speaks_no_http: "did not send an HTTP/1.1 answer",
    contradicts_itself: "did not send an HTTP/1.1 answer",
}
#: Those whose attempt only the deadline ends.
SILENT = (never_answers, trickles)


def once(trouble: Script) -> Script:
    """Return a server that is in trouble at its first connection, and well from then on."""
    met: list[Peer] = []

    async def script(peer: Peer) -> None:
        if met:
            await peer.serve()
        met.append(peer)
        await trouble(peer)

    return script


async def enqueue(leanbe: Leanbe, name: str, url: str, **assume: str) -> str:
    """Make a product whose receiver is there, with one event for a worker; return its delivery."""
    settings = {"backoff": "0s", **assume}
    leanbe.products.create(name, webhook_url=url, secret="whsec_test", assume=settings)
    wanted = TriggerRequest(events=["idea.created"], product=name)
    (triggered,) = await leanbe.trigger_all(wanted, deliver=False)
    assert triggered.delivery is not None
    return triggered.delivery.id


async def drain(db: str, home: Path, *, program: Sequence[str] = PROGRAM) -> None:
    """Let a worker process make every attempt that is due."""
    ran = await asyncio.to_thread(
        run_process, "worker", "--drain", "--db", db, cwd=home, program=program
    )
    assert ran.status == 0, ran.stderr


def outcomes(delivery: Delivery) -> list[Outcome]:
    return [each.outcome for each in delivery.attempts]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Script | None, Delivery]:
    """The ends of a delivery to each of them, and to their neighbour, in one worker."""
    return asyncio.run(meet_them_all(tmp_path_factory.mktemp("troubles")))


async def meet_them_all(home: Path) -> Mapping[Script | None, Delivery]:
    db = f"sqlite:///{home / 'test.db'}"
    pending: dict[Script | None, str] = {}
    async with AsyncExitStack() as stack:
        leanbe = await stack.enter_async_context(Leanbe(db))
        for number, trouble in enumerate(TROUBLES):
            server = await stack.enter_async_context(run_script(once(trouble)))
            timeout = "3s" if trouble in SILENT else "10s"
            pending[trouble] = await enqueue(
                leanbe, f"Troubled {number}", server.url(), timeout=timeout
            )
        neighbour = stack.enter_context(LoopbackReceiver.listening())
        pending[None] = await enqueue(leanbe, "Neighbour", neighbour.url)
        await drain(db, home)
        return {trouble: leanbe.deliveries.get(delivery) for trouble, delivery in pending.items()}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_a_receiver_that(trouble: Script, settled: Mapping[Script | None, Delivery]) -> None:
    """Its attempt is unknown, and the next one delivers."""
    delivery = settled[trouble]
    assert outcomes(delivery) == [Outcome.UNKNOWN, Outcome.DELIVERED]
    assert TROUBLES[trouble] in (delivery.attempts[0].error or "")


def test_a_neighbour_of_them_all_never_notices(settled: Mapping[Script | None, Delivery]) -> None:
    assert outcomes(settled[None]) == [Outcome.DELIVERED]


@run_in_loop
async def test_an_answer_of_a_gigabyte_ends_after_16_mebibytes_and_little_of_it_is_stored(
    db: str, tmp_path: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(f"HTTP/1.1 200 OK\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode())
        piece = b"x" * PIECE
        with suppress(ConnectionError):  # the worker hangs up
            for _ in range(GIGABYTE // PIECE):
                await peer.write(piece)

    async with Leanbe(db) as leanbe:
        async with run_script(script) as server:
            delivery = await enqueue(leanbe, "Chatty", server.url(), max_attempts="1")
            await drain(db, tmp_path, program=FRUGAL)
        with leanbe._database.reading() as session:
            attempt = session.get_one(AttemptRow, (delivery, 1))
    assert attempt.outcome is Outcome.UNKNOWN
    assert 16 * PIECE <= attempt.answer_length <= 20 * PIECE
    assert attempt.answer_body == b"x" * 64 * 1024


@pytest.mark.parametrize("follows", ["true", "false"])
@run_in_loop
async def test_a_receiver_that_redirects_to_a_metadata_address_is_not_followed(
    follows: str, db: str, tmp_path: Path
) -> None:
    metadata = b"http://169.254.169.254/latest/meta-data/"
    redirect = OK.replace(b"200 OK", b"307 Temporary Redirect\r\nLocation: " + metadata)

    async def script(peer: Peer) -> None:
        await peer.serve(redirect)

    async with Leanbe(db) as leanbe:
        async with run_script(script) as server:
            delivery = await enqueue(
                leanbe, "Sly", server.url(), follow_redirects=follows, max_attempts="1"
            )
            await drain(db, tmp_path)
        (attempt,) = leanbe.deliveries.get(delivery).attempts
    assert (attempt.outcome, attempt.answer_status) == (Outcome.REFUSED, 307)
    assert ("metadata" in (attempt.error or "")) == (follows == "true")


@run_in_loop
async def test_a_name_that_leads_elsewhere_by_the_time_it_is_connected_to_gains_nothing(
    db: str,
) -> None:
    """The checked address is the one that is connected to; the next attempt asks again."""
    refusal = b"HTTP/1.1 500 Oh No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    async def script(peer: Peer) -> None:
        await peer.answer(refusal)

    async with Leanbe(db) as leanbe:
        async with run_script(script) as server:
            delivery = await enqueue(leanbe, "Turncoat", server.url(host=NAME), max_attempts="2")
            program = (sys.executable, "-W", "error", "-m", "tests.support.rebinding_worker")
            ran = await asyncio.to_thread(run_process, db, cwd=HERE, program=program)
        assert ran.status == 0, ran.stderr
        settled = leanbe.deliveries.get(delivery)
    assert outcomes(settled) == [Outcome.REFUSED, Outcome.UNREACHABLE]
    assert "169.254.169.254" in (settled.attempts[1].error or "")
    assert "metadata" in (settled.attempts[1].error or "")
    assert ran.stdout.split() == ["127.0.0.1"]
