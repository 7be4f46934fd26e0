"""Receivers that misbehave, and a worker as a process of its own.

Each trouble is on record as what it was, costs its neighbours nothing, and the worker comes back to
it by itself.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from leanbe_emitter import Attempt, Delivery, Leanbe, Outcome, Wanted
from leanbe_emitter.storage.tables import AttemptRow
from tests.command_line import PROGRAM, run_process
from tests.loops import on_a_loop
from tests.rebinding import NAME
from tests.receiver import Receiver
from tests.scripted import OK, Peer, Script, scripted

HERE = Path(__file__).parents[2]
#: How long an attempt may take here: long enough for a busy machine, short enough to be waited for.
TIMEOUT = "1s"
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
    await peer.request()
    await peer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        await peer.write(b"x")
        await asyncio.sleep(0.05)


async def closes_before_it_reads(peer: Peer) -> None:
    await peer.hang_up()


async def closes_before_it_answers(peer: Peer) -> None:
    await peer.request()
    await peer.hang_up()


async def closes_in_the_middle_of_its_answer(peer: Peer) -> None:
    await peer.request()
    await peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await peer.hang_up()


async def resets(peer: Peer) -> None:
    await peer.request()
    peer.reset()


async def speaks_no_http(peer: Peer) -> None:
    await peer.request()
    await peer.write(b"220 mail.test ESMTP\r\n")
    await peer.until_hung_up()


async def contradicts_itself(peer: Peer) -> None:
    await peer.request()
    await peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")
    await peer.until_hung_up()


TROUBLES = [
    (never_answers, "no complete answer within 1 s"),
    (trickles, "no complete answer within 1 s"),
    (closes_before_it_reads, "before it answered"),
    (closes_before_it_answers, "closed the connection before it answered"),
    (closes_in_the_middle_of_its_answer, "closed the connection in the middle of its answer"),
    (resets, "was reset before it answered"),
    (speaks_no_http, "sent what is no HTTP/1.1 answer"),
    (contradicts_itself, "sent what is no HTTP/1.1 answer"),
]


def once(trouble: Script) -> Script:
    """Return a server that is in trouble at its first connection, and well from then on."""
    met: list[Peer] = []

    async def script(peer: Peer) -> None:
        if met:
            await peer.serve()
        met.append(peer)
        await trouble(peer)

    return script


def owe(leanbe: Leanbe, name: str, url: str, **assume: str) -> str:
    """Make a product whose receiver is there, with one event for a worker; return its delivery."""
    settings = {"timeout": TIMEOUT, "backoff": "0s", **assume}
    leanbe.products.create(name, webhook_url=url, secret="whsec_test", assume=settings)
    (triggered,) = leanbe.trigger_all(Wanted(events=["idea.created"], product=name), deliver=False)
    assert triggered.delivery is not None
    return triggered.delivery.id


async def drained(
    leanbe: Leanbe, db: str, delivery: str, home: Path, *, program: Sequence[str] = PROGRAM
) -> Delivery:
    """Let a worker process make every attempt that is due; return what became of a delivery."""
    ran = await asyncio.to_thread(
        run_process, "worker", "--drain", "--db", db, cwd=home, program=program
    )
    assert ran.status == 0, ran.stderr
    return leanbe.deliveries.get(delivery)


def outcomes(delivery: Delivery) -> list[Outcome]:
    return [each.outcome for each in delivery.attempts]


def first_error(delivery: Delivery) -> str:
    first: Attempt = delivery.attempts[0]
    return first.error or ""


@pytest.mark.parametrize(
    ("trouble", "reason"), TROUBLES, ids=[each.__name__ for each, _ in TROUBLES]
)
@on_a_loop
async def test_a_receiver_that(trouble: Script, reason: str, db: str, tmp_path: Path) -> None:
    """Its attempt is unknown, the next one delivers, and its neighbour never notices."""
    with Receiver.listening() as neighbour, Leanbe(db) as leanbe:
        async with scripted(once(trouble)) as server:
            delivery = owe(leanbe, "Troubled", server.url())
            beside = owe(leanbe, "Neighbour", neighbour.url)
            settled = await drained(leanbe, db, delivery, tmp_path)
        assert outcomes(settled) == [Outcome.UNKNOWN, Outcome.DELIVERED]
        assert reason in first_error(settled)
        assert outcomes(leanbe.deliveries.get(beside)) == [Outcome.DELIVERED]


@on_a_loop
async def test_a_receiver_that_answers_with_a_gigabyte_is_heard_out_and_little_of_it_kept(
    db: str, tmp_path: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {GIGABYTE}\r\n\r\n".encode())
        piece = b"x" * PIECE
        for _ in range(GIGABYTE // PIECE):
            await peer.write(piece)
        await peer.until_hung_up()

    with Leanbe(db) as leanbe:
        async with scripted(script) as server:
            delivery = owe(leanbe, "Chatty", server.url(), timeout="60s")
            settled = await drained(leanbe, db, delivery, tmp_path, program=FRUGAL)
        with leanbe._database.reading() as session:
            attempt = session.get_one(AttemptRow, (delivery, 1))
    assert outcomes(settled) == [Outcome.DELIVERED]
    assert attempt.answer_length == GIGABYTE
    assert attempt.answer_body == b"x" * 64 * 1024


@pytest.mark.parametrize("follows", ["true", "false"])
@on_a_loop
async def test_a_receiver_that_redirects_to_a_metadata_address_is_not_followed(
    follows: str, db: str, tmp_path: Path
) -> None:
    metadata = b"http://169.254.169.254/latest/meta-data/"
    redirect = OK.replace(b"200 OK", b"307 Temporary Redirect\r\nLocation: " + metadata)

    async def script(peer: Peer) -> None:
        await peer.serve(redirect)

    with Leanbe(db) as leanbe:
        async with scripted(script) as server:
            delivery = owe(leanbe, "Sly", server.url(), follow_redirects=follows, max_attempts="1")
            settled = await drained(leanbe, db, delivery, tmp_path)
    (attempt,) = settled.attempts
    assert (attempt.outcome, attempt.answer_status) == (Outcome.REFUSED, 307)
    assert ("metadata" in (attempt.error or "")) == (follows == "true")


@on_a_loop
async def test_a_name_that_leads_elsewhere_by_the_time_it_is_connected_to_gains_nothing(
    db: str,
) -> None:
    """What was asked for and checked is what is connected to; the next attempt asks again."""
    refusal = b"HTTP/1.1 500 Oh No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.write(refusal)

    with Leanbe(db) as leanbe:
        async with scripted(script) as server:
            delivery = owe(leanbe, "Turncoat", server.url(host=NAME), max_attempts="2")
            program = (sys.executable, "-W", "error", "-m", "tests.rebinding")
            ran = await asyncio.to_thread(run_process, db, cwd=HERE, program=program)
        assert ran.status == 0, ran.stderr
        settled = leanbe.deliveries.get(delivery)
    assert outcomes(settled) == [Outcome.REFUSED, Outcome.UNREACHABLE]
    assert "169.254.169.254" in (settled.attempts[1].error or "")
    assert "metadata" in (settled.attempts[1].error or "")
    assert ran.stdout.split() == ["127.0.0.1"]
