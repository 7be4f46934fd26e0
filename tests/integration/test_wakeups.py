"""Wake-ups inside one process: who is told of what, and what a worker makes of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import PollResult, Queue
from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.delivery.worker.wakeups import waking
from leanbe_emitter.delivery.worker.worker import BUSY_PAUSE_SECONDS
from leanbe_emitter.outbox import Lease, record
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.migrate import prepare
from leanbe_emitter.storage.schema.states import DeliveryState
from tests.support.engine_setup import LEASE_SECONDS, Bench, new_event
from tests.support.event_loops import run_in_loop
from tests.support.scripted_transport import HoldingTransport, ScriptedTransport
from tests.support.waiting import PATIENCE_SECONDS, async_wait_until
from tests.support.workers import new_worker, run_worker

HOUR = 3600.0
STORM = 1000


class ByHand:
    """Wake-ups that the test gives."""

    tell: Callable[[], None]

    @asynccontextmanager
    async def __call__(self, tell: Callable[[], None], /) -> AsyncIterator[None]:
        self.tell = tell
        yield


class Looking(Queue):
    """A queue that counts how often somebody looks."""

    looks = 0

    def poll(
        self, ended: Sequence[Settlement], room: Room, *, ours: Collection[Claimed] = ()
    ) -> PollResult:
        self.looks += 1
        return super().poll(ended, room, ours=ours)


@asynccontextmanager
async def worker_polling_hourly(
    bench: Bench, transport: Transport, *, concurrency: int = 4
) -> AsyncIterator[tuple[ByHand, Looking]]:
    """Let a worker run that looks by itself once an hour."""
    queue = Looking(bench.database, clock=bench.clock, ids=bench.ids, lease_seconds=LEASE_SECONDS)
    wakeups = ByHand()
    it = new_worker(
        bench,
        transport,
        queue=queue,
        concurrency=concurrency,
        per_product=concurrency,
        poll_seconds=HOUR,
        wakeups=wakeups,
    )
    async with run_worker(it):
        await async_wait_until(lambda: queue.looks > 0, "it has looked at first")
        yield wakeups, queue


@run_in_loop
async def test_a_wake_up_makes_a_resting_worker_poll(bench: Bench) -> None:
    product, transport = bench.product(), ScriptedTransport()
    async with worker_polling_hourly(bench, transport) as (wakeups, _):
        for count in (1, 2, 3):
            bench.enqueue(product)
            wakeups.tell()
            await async_wait_until(lambda: len(transport.requests) == count, "it is delivered")  # noqa: B023


@run_in_loop
async def test_a_full_worker_ignores_wake_ups(bench: Bench) -> None:
    bench.enqueue(bench.product(), 3)
    transport = HoldingTransport()
    async with worker_polling_hourly(bench, transport, concurrency=2) as (wakeups, queue):
        await transport.sent(2)
        before = await looks_of(queue)
        for _ in range(STORM):
            wakeups.tell()
            await asyncio.sleep(0)
        assert await looks_of(queue) == before
        transport.let_go()


@run_in_loop
async def test_a_busy_worker_polls_seldom_however_many_wake_ups_come(bench: Bench) -> None:
    bench.enqueue(bench.product())
    transport = HoldingTransport()
    async with worker_polling_hourly(bench, transport) as (wakeups, queue):
        await transport.sent(1)
        before = await looks_of(queue)
        for _ in range(STORM):
            wakeups.tell()
        assert await looks_of(queue) == before + 1
        transport.let_go()


@run_in_loop
async def test_a_busy_worker_begins_what_is_due_all_the_same(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product)
    transport = HoldingTransport()
    async with worker_polling_hourly(bench, transport) as (wakeups, _):
        await transport.sent(1)
        bench.enqueue(product)
        wakeups.tell()
        await transport.sent(2)
        transport.let_go()


async def looks_of(queue: Looking) -> int:
    """Return how often it was looked, once a look that was left to the next turn is over."""
    await asyncio.sleep(10 * BUSY_PAUSE_SECONDS)
    return queue.looks


@run_in_loop
async def test_an_event_of_this_process_wakes_a_worker_at_once_also_in_memory() -> None:
    database = Database(":memory:")
    prepare(database)
    bench = Bench(database=database)
    product = bench.product()
    told = asyncio.Event()
    async with waking(database, told.set):
        await asyncio.to_thread(bench.enqueue, product)
        await asyncio.wait_for(told.wait(), PATIENCE_SECONDS)
    database.close()


@run_in_loop
async def test_a_delivery_that_another_handle_makes_due_wakes_a_worker(
    bench: Bench, database_url: str
) -> None:
    product, other = bench.product(), Database(database_url)
    told = asyncio.Event()
    async with waking(other, told.set):
        await quiet(other, told)
        for _ in range(3):
            bench.enqueue(product)
            await asyncio.wait_for(told.wait(), PATIENCE_SECONDS)
            told.clear()
    other.close()


@run_in_loop
async def test_a_url_that_prepares_nothing_is_listened_to_as_well(postgresql_url: str) -> None:
    database = Database(f"{postgresql_url}?prepare_threshold=none")
    told = asyncio.Event()
    async with waking(database, told.set):
        await asyncio.wait_for(told.wait(), PATIENCE_SECONDS)
    database.close()


async def quiet(database: Database, told: asyncio.Event) -> None:
    """Let what is told at the beginning pass: PostgreSQL tells as soon as it listens."""
    if database.dialect == "postgresql":
        await asyncio.wait_for(told.wait(), PATIENCE_SECONDS)
    told.clear()


@run_in_loop
async def test_a_leased_delivery_wakes_nobody(postgresql_bench: Bench) -> None:
    """A foreground call makes its own attempt; SQLite tells of every commit."""
    bench = postgresql_bench
    product, told = bench.product(), asyncio.Event()
    async with waking(bench.database, told.set):
        await quiet(bench.database, told)
        bench.enqueue(product, lease=Lease(token="a" * 24, until=bench.now + 1))
        await asyncio.sleep(0.2)
        assert not told.is_set()


@run_in_loop
async def test_a_rolled_back_event_wakes_nobody(bench: Bench) -> None:
    product, told = bench.product(), asyncio.Event()

    def act() -> None:
        with bench.database.transaction() as session:
            record(session, [new_event(product)], now=bench.clock.now(), ids=bench.ids)
            raise ZeroDivisionError

    async with waking(bench.database, told.set):
        await quiet(bench.database, told)
        with pytest.raises(ZeroDivisionError):
            act()
        await asyncio.sleep(0.2)
        assert not told.is_set()


@run_in_loop
async def test_a_file_that_cannot_be_read_is_polled_again(tmp_path: Path) -> None:
    home = tmp_path / "later"
    database, told = Database(f"sqlite:///{home / 'test.db'}"), asyncio.Event()
    async with waking(database, told.set):
        await asyncio.sleep(0.1)
        assert not told.is_set()
        home.mkdir()
        prepare(database)
        await asyncio.wait_for(told.wait(), PATIENCE_SECONDS)
    database.close()


def test_a_commit_does_not_fail_because_a_loop_was_closed_meanwhile() -> None:
    database = Database(":memory:")
    prepare(database)
    bench = Bench(database=database)
    telling = waking(database, lambda: None)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(telling.__aenter__())
    loop.close()
    (delivery,) = bench.enqueue(bench.product())
    assert bench.state(delivery) is DeliveryState.NEW
    asyncio.run(telling.__aexit__(None, None, None))
    database.close()
