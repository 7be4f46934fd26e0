"""Woken, not polled: a worker that looks by itself once an hour delivers at once all the same."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from leanbe_emitter.clock import ManualClock, SystemClock, to_milliseconds
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.queue_types import Claimed
from leanbe_emitter.outbox import redeliver
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.storage.schema.tables import EventRow
from tests.support.engine_setup import Bench, settlement_of
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.waiting import wait_until
from tests.support.worker_fleet import Fleet

#: One commit may come while the worker is looking anyway; so many do not.
ROUNDS = 8
#: How long a retry waits.
RETRY_MS = 300


@pytest.fixture
def receiver() -> Iterator[LoopbackReceiver]:
    with LoopbackReceiver.listening() as receiver:
        yield receiver


@pytest.fixture
def bench(database: Database) -> Bench:
    """The steps of this process, by the time of all processes."""
    return Bench(database=database, clock=ManualClock(SystemClock().now()))


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet.on(database, tmp_path, poll="1h") as fleet:
        yield fleet


@pytest.fixture
def product(bench: Bench, fleet: Fleet, receiver: LoopbackReceiver) -> str:
    """A product for which a worker has delivered, and rests."""
    product = bench.product(url=receiver.url, backoff=f"{RETRY_MS}ms")
    fleet.start_worker()
    bench.enqueue(product)
    wait_until_delivered(fleet, 1)
    return product


def wait_until_delivered(fleet: Fleet, count: int) -> None:
    wait_until(
        lambda: fleet.count("deliveries", "state = 'delivered'") == count, f"{count} are delivered"
    )


def hold(bench: Bench, queue: Queue, product: str) -> Claimed:
    """Record an event whose delivery is this process's, as a foreground call does."""
    lease = queue.new_lease()
    (claimed,) = queue.load(bench.enqueue(product, lease=lease), token=lease.token)
    return claimed


def test_an_event_that_another_process_commits_is_delivered_at_once(
    bench: Bench, product: str, fleet: Fleet
) -> None:
    for count in range(2, 2 + ROUNDS):
        bench.enqueue(product)
        wait_until_delivered(fleet, count)


@pytest.mark.usefixtures("product")
def test_a_redelivery_by_another_process_is_delivered_at_once(bench: Bench, fleet: Fleet) -> None:
    for count in range(2, 2 + ROUNDS):
        with bench.database.transaction() as session:
            event = session.scalars(select(EventRow)).one()
            redeliver(session, event, now=bench.clock.now(), ids=bench.ids)
        wait_until_delivered(fleet, count)


def test_a_delivery_that_another_process_releases_is_delivered_at_once(
    bench: Bench, product: str, fleet: Fleet
) -> None:
    queue = bench.queue()
    for count in range(2, 2 + ROUNDS):
        queue.release([hold(bench, queue, product)])
        wait_until_delivered(fleet, count)


def test_a_retry_falls_due_without_a_poll(
    bench: Bench, product: str, fleet: Fleet, receiver: LoopbackReceiver
) -> None:
    for count in range(2, 4):
        receiver.statuses.append(500)
        bench.enqueue(product)
        wait_until_delivered(fleet, count)
    assert fleet.count("attempts", "outcome = 'refused'") == 2


def test_a_retry_of_another_process_falls_due_without_a_poll(
    bench: Bench, product: str, fleet: Fleet
) -> None:
    queue = bench.queue()
    for count in range(2, 4):
        due_at = to_milliseconds(SystemClock().now()) + RETRY_MS
        queue.settle([settlement_of(hold(bench, queue, product), Outcome.REFUSED, due_at=due_at)])
        wait_until_delivered(fleet, count)


def test_a_delivery_that_another_process_held_is_delivered_at_once(
    bench: Bench, product: str, fleet: Fleet
) -> None:
    """The product's events are delivered strictly one after the other."""
    bench.assume(product, ordering="strict")
    queue = bench.queue()
    for count in range(3, 3 + 2 * ROUNDS, 2):
        first = hold(bench, queue, product)
        bench.enqueue(product)
        queue.settle([settlement_of(first)])
        wait_until_delivered(fleet, count)


@pytest.fixture
def listener(fleet: Fleet) -> Callable[[], set[int]]:
    """A function that returns the processes of PostgreSQL whose client listens."""
    url = fleet.database.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def ask() -> set[int]:
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN %'"
            ).fetchall()
        return {pid for (pid,) in rows}

    return ask


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_whose_connection_was_cut_is_woken_by_the_next(
    bench: Bench, product: str, fleet: Fleet, listener: Callable[[], set[int]]
) -> None:
    for count in range(2, 5):
        wait_until(listener, "the worker listens")
        cut = listener()
        with bench.database.transaction() as session:
            for pid in cut:
                session.connection().exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid,))
        wait_until(lambda: listener() - cut, "it listens again")  # noqa: B023 - called in this round
        bench.enqueue(product)
        wait_until_delivered(fleet, count)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_that_listens_again_delivers_events_committed_meanwhile(
    bench: Bench, product: str, fleet: Fleet, listener: Callable[[], set[int]]
) -> None:
    wait_until(listener, "the worker listens")
    with bench.database.transaction() as session:
        for pid in listener():
            session.connection().exec_driver_sql("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    bench.enqueue(product)
    wait_until_delivered(fleet, 2)


@pytest.mark.usefixtures("product")
def test_a_worker_that_rests_stops_when_it_is_told_to(fleet: Fleet) -> None:
    (worker,) = fleet.running
    assert fleet.end(worker) == 0
    assert fleet.complaints() == []
