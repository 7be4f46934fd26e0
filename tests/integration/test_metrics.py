"""Metrics of a worker and a handle while they work."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from leanbe_emitter import Conflict, Leanbe, ManualClock, Outcome, Product, Settings, TriggerRequest
from leanbe_emitter.delivery.network.transport import Answer, Unreachable
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.worker.metrics import Counters, Metrics
from tests.support.engine_setup import LEASE_SECONDS, Bench, claim
from tests.support.event_loops import run_in_loop
from tests.support.failing_queue import FailingQueue
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.scripted_transport import ActingTransport, ScriptedTransport
from tests.support.workers import new_worker


async def drain(
    bench: Bench, transport: ScriptedTransport, *, queue: Queue | None = None
) -> Metrics:
    """Let a worker deliver what is due; return what it counted."""
    counters = Counters()
    it = new_worker(bench, transport, queue=queue, concurrency=8, per_product=8, counters=counters)
    await it.run(drain=True)
    return counters.metrics()


@run_in_loop
async def test_a_worker_counts_what_it_claims_and_what_its_attempts_come_to(bench: Bench) -> None:
    bench.enqueue(bench.product(), 5)
    replies = (Answer(status=500), Unreachable("connection refused"), Answer(status=204))
    metrics = await drain(bench, ScriptedTransport(*replies))
    assert metrics.deliveries_claimed_total == 5
    assert metrics.attempts_total == {
        Outcome.DELIVERED: 3, Outcome.REFUSED: 1, Outcome.UNREACHABLE: 1, Outcome.UNKNOWN: 0
    }  # fmt: skip
    assert metrics.attempt_duration_seconds.count == 5


@run_in_loop
async def test_the_lag_is_from_when_it_was_due_until_its_attempt_began(bench: Bench) -> None:
    bench.enqueue(bench.product())
    bench.clock.advance(seconds=7)
    assert (await drain(bench, ScriptedTransport())).delivery_lag_seconds.sum == 7


@run_in_loop
async def test_the_lag_of_a_retry_is_from_its_own_due_time(bench: Bench) -> None:
    bench.enqueue(bench.product(backoff="60s"))
    await drain(bench, ScriptedTransport(Answer(status=500)))
    bench.clock.advance(seconds=62)
    assert (await drain(bench, ScriptedTransport())).delivery_lag_seconds.sum == 2


@run_in_loop
async def test_a_released_delivery_is_counted_and_is_no_attempt(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product, 3)
    bench.remove_url(product)
    metrics = await drain(bench, ScriptedTransport())
    assert (metrics.deliveries_claimed_total, metrics.deliveries_handed_back_total) == (3, 3)
    assert sum(metrics.attempts_total.values()) == 0


@run_in_loop
async def test_attempts_that_vanished_are_counted_by_who_settles_them(bench: Bench) -> None:
    bench.enqueue(bench.product(), 3)
    claim(bench.queue())
    bench.clock.advance(seconds=LEASE_SECONDS)
    metrics = await drain(bench, ScriptedTransport())
    assert metrics.attempts_vanished_total == 3
    assert metrics.attempts_total[Outcome.DELIVERED] == 3
    assert metrics.attempts_total[Outcome.UNKNOWN] == 0


@run_in_loop
async def test_a_lost_lease_is_counted_and_its_attempt_is_not(bench: Bench) -> None:
    def sleep() -> None:
        bench.expire_leases(bench.queue())
        claim(bench.queue())

    bench.enqueue(bench.product())
    metrics = await drain(bench, ActingTransport(sleep))
    assert metrics.leases_lost_total == 1
    assert sum(metrics.attempts_total.values()) == 0


@run_in_loop
async def test_an_unavailable_database_is_counted_each_time(bench: Bench) -> None:
    bench.enqueue(bench.product())
    queue = FailingQueue.of(bench, settle=2)
    metrics = await drain(bench, ScriptedTransport(), queue=queue)
    assert metrics.database_unavailable_total == 2
    assert metrics.attempts_total[Outcome.DELIVERED] == 1


@pytest.mark.usefixtures("product")
def test_a_handle_counts_foreground_and_worker_together(
    leanbe: Leanbe, receiver: LoopbackReceiver
) -> None:
    receiver.statuses.extend([204, 500])
    leanbe.trigger("idea.created")
    leanbe.trigger("idea.created")
    leanbe.trigger_all(TriggerRequest(events=["idea.created"] * 3), deliver=False)
    leanbe.work(drain=True)
    metrics = leanbe.metrics()
    assert metrics.deliveries_claimed_total == 5
    assert metrics.attempts_total[Outcome.DELIVERED] == 4
    assert metrics.attempts_total[Outcome.REFUSED] == 1
    assert metrics.deliveries_handed_back_total == metrics.attempts_vanished_total == 0


def test_a_handle_asks_its_database_what_is_due(db: str, receiver: LoopbackReceiver) -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with Leanbe(db, clock=clock) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url)
        assert leanbe.metrics().oldest_due_seconds is None
        leanbe.trigger_all(TriggerRequest(events=["idea.created"] * 3), deliver=False)
        clock.advance(seconds=90)
        metrics = leanbe.metrics()
    assert (metrics.deliveries_due, metrics.deliveries_in_flight) == (3, 0)
    assert metrics.oldest_due_seconds == 90


def test_attempts_that_vanished_with_a_dead_worker_are_counted(
    db: str, receiver: LoopbackReceiver
) -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with Leanbe(db, clock=clock, settings=Settings(lease_seconds=30)) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url)
        leanbe.trigger_all(TriggerRequest(events=["idea.created"] * 2), deliver=False)
        claim(leanbe._engine.queue)
        clock.advance(seconds=30)
        leanbe.deliver()
        metrics = leanbe.metrics()
    assert metrics.attempts_vanished_total == 2
    assert metrics.attempts_total[Outcome.DELIVERED] == 2


def test_counters_stay_readable_while_the_database_is_unavailable(
    receiver: LoopbackReceiver, tmp_path: Path
) -> None:
    path = tmp_path / "test.db"
    with Leanbe(f"sqlite:///{path}") as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url)
        leanbe.trigger("idea.created")
        leanbe._database.close()
        path.unlink()
        path.mkdir()
        metrics = leanbe.metrics()
    assert metrics.attempts_total[Outcome.DELIVERED] == 1
    assert metrics.deliveries_due is metrics.deliveries_in_flight is None


def test_metrics_are_not_asked_for_inside_a_transaction(leanbe: Leanbe, product: Product) -> None:
    with leanbe.transaction():
        product.ideas.create(title="Dark mode")
        with pytest.raises(Conflict):
            leanbe.metrics()
