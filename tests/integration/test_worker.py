"""The worker: what is due is delivered, and what happens to a worker loses nothing."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence

import pytest

from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import PollResult, Queue
from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.delivery.reconnect_pauses import FIRST_SECONDS, LONGEST_SECONDS
from leanbe_emitter.delivery.watching import Attempt, StartedAttempt
from leanbe_emitter.delivery.worker.attempt_log import logged
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from tests.support.engine_setup import LEASE_SECONDS, Bench, RecordingWatcher, claim, ids_of
from tests.support.event_loops import run_in_loop
from tests.support.failing_queue import FailingQueue
from tests.support.scripted_transport import ActingTransport, HoldingTransport, ScriptedTransport
from tests.support.waiting import async_wait_until
from tests.support.workers import new_worker, run_worker

SLOW = "http://127.0.0.1:9/slow"
REFUSED = Answer(status=500)


def states(bench: Bench, deliveries: Sequence[str]) -> Counter[DeliveryState]:
    return Counter(bench.state(each) for each in deliveries)


@run_in_loop
async def test_a_drain_delivers_all_that_is_due_and_returns(bench: Bench) -> None:
    deliveries = [each for name in "ABC" for each in bench.enqueue(bench.product(name), 15)]
    watcher, transport = RecordingWatcher(), ScriptedTransport()
    await new_worker(bench, transport, concurrency=8, per_product=2, watcher=watcher).run(
        drain=True
    )
    assert states(bench, deliveries) == {DeliveryState.DELIVERED: 45}
    assert len(transport.requests) == len(watcher.begins) == len(watcher.ends) == 45
    assert bench.rows("attempts") == 45


@run_in_loop
async def test_a_watcher_is_called_at_the_end_of_a_turn_after_all_of_its_attempts(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    class Turning(RecordingWatcher):
        def __init__(self) -> None:
            super().__init__()
            self.told: list[tuple[int, int]] = []

        def turn_ended(self) -> None:
            self.told.append((len(self.begins), len(self.ends)))

    bench.enqueue(bench.product(), 3)
    watcher = Turning()
    caplog.set_level(logging.INFO, "leanbe_emitter")
    await new_worker(bench, ScriptedTransport(), watcher=logged(watcher)).run(drain=True)
    assert watcher.told[0] == (3, 0)
    assert watcher.told[-1] == (3, 3)


@run_in_loop
async def test_a_drain_does_not_wait_for_retries(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 3)
    await new_worker(bench, ScriptedTransport(*[REFUSED] * 3)).run(drain=True)
    assert states(bench, deliveries) == {DeliveryState.WAITING: 3}


@run_in_loop
async def test_a_drain_takes_over_from_the_dead(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 3)
    claim(bench.queue())
    bench.clock.advance(seconds=LEASE_SECONDS)
    await new_worker(bench, ScriptedTransport()).run(drain=True)
    assert states(bench, deliveries) == {DeliveryState.DELIVERED: 3}
    assert bench.rows("attempts") == 6


@run_in_loop
async def test_a_worker_delivers_what_comes_later(bench: Bench) -> None:
    product = bench.product()
    watcher = RecordingWatcher()
    async with run_worker(new_worker(bench, ScriptedTransport(), watcher=watcher)):
        bench.enqueue(product)
        await async_wait_until(lambda: len(watcher.ends) == 1, "it is delivered")
        bench.enqueue(product)
        await async_wait_until(lambda: len(watcher.ends) == 2, "it is delivered, too")


@run_in_loop
async def test_no_more_is_in_flight_than_is_allowed(bench: Bench) -> None:
    for name in "ABCD":
        bench.enqueue(bench.product(name), 10)
    transport = HoldingTransport()
    async with run_worker(new_worker(bench, transport, concurrency=6)):
        await transport.sent(6)
        transport.let_go()
        await async_wait_until(lambda: len(transport.requests) == 40, "all are sent")
    assert transport.most_at_once == 6


@run_in_loop
async def test_no_more_of_one_product_is_in_flight_than_is_allowed(bench: Bench) -> None:
    bench.enqueue(bench.product(), 10)
    transport = HoldingTransport()
    async with run_worker(new_worker(bench, transport, per_product=3)):
        await transport.sent(3)
        transport.let_go()
        await async_wait_until(lambda: len(transport.requests) == 10, "all are sent")
    assert transport.most_at_once == 3


@run_in_loop
async def test_one_slow_product_does_not_hold_the_others(bench: Bench) -> None:
    slow = bench.enqueue(bench.product("Slow", url=SLOW), 50)
    quick = [each for name in "ABC" for each in bench.enqueue(bench.product(name), 20)]
    transport, watcher = HoldingTransport(urls=[SLOW]), RecordingWatcher()
    async with run_worker(
        new_worker(bench, transport, concurrency=8, per_product=4, watcher=watcher)
    ):
        await async_wait_until(lambda: len(watcher.ends) == len(quick), "the others are delivered")
        assert states(bench, quick) == {DeliveryState.DELIVERED: 60}
        assert states(bench, slow) == {DeliveryState.IN_FLIGHT: 4, DeliveryState.NEW: 46}
        transport.let_go()


@run_in_loop
async def test_deliveries_of_a_product_start_in_the_order_of_its_events(bench: Bench) -> None:
    product = bench.product()
    deliveries = bench.enqueue(product, 30)
    watcher = RecordingWatcher()
    await new_worker(bench, ScriptedTransport(), concurrency=4, watcher=watcher).run(drain=True)
    assert ids_of(watcher.begins) == deliveries


@run_in_loop
async def test_a_stop_lets_attempts_in_flight_finish_and_begins_no_more(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 5)
    transport = HoldingTransport()
    it = new_worker(bench, transport, concurrency=2)
    async with run_worker(it) as task:
        await transport.sent(2)
        it.stop()
        transport.let_go()
        await task
    assert [bench.state(each) for each in deliveries] == ["delivered"] * 2 + ["new"] * 3
    assert len(transport.requests) == 2


@run_in_loop
async def test_attempts_that_do_not_finish_in_time_are_settled_as_interrupted(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 2)
    transport = HoldingTransport()
    it = new_worker(bench, transport, grace_seconds=0.01)
    async with run_worker(it):
        await transport.sent(2)
        begun = bench.now
        bench.clock.advance(seconds=3)
    assert states(bench, deliveries) == {DeliveryState.READY: 2}
    for each in deliveries:
        (attempt,) = bench.attempts(each)
        assert (attempt.outcome, attempt.started_at) == (Outcome.UNKNOWN, begun)
        assert ["Content-Type", "application/json"] in attempt.request_headers
        assert bench.delivery(each).attempts_counted == 0


@run_in_loop
async def test_deliveries_claimed_when_the_stop_comes_are_released(bench: Bench) -> None:
    class Stopping(Queue):
        def poll(
            self, ended: Sequence[Settlement], room: Room, *, ours: Collection[Claimed] = ()
        ) -> PollResult:
            it.stop()
            return super().poll(ended, room, ours=ours)

    deliveries = bench.enqueue(bench.product(), 3)
    queue = Stopping(bench.database, clock=bench.clock, ids=bench.ids, lease_seconds=LEASE_SECONDS)
    transport = ScriptedTransport()
    it = new_worker(bench, transport, queue=queue)
    await it.run()
    assert transport.requests == []
    assert states(bench, deliveries) == {DeliveryState.NEW: 3}
    assert {bench.delivery(each).attempts_started for each in deliveries} == {0}


@run_in_loop
async def test_attempts_that_ended_while_the_database_was_unavailable_are_settled_later(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    deliveries = bench.enqueue(bench.product(), 3)
    transport, watcher = ScriptedTransport(), RecordingWatcher()
    queue = FailingQueue.of(bench, settle=2, claim=1)
    await new_worker(bench, transport, queue=queue, watcher=watcher).run(drain=True)
    assert states(bench, deliveries) == {DeliveryState.DELIVERED: 3}
    assert len(transport.requests) == len(watcher.ends) == 3
    assert caplog.text.count("database is unavailable") == 3


@run_in_loop
async def test_an_unavailable_database_is_asked_less_and_less_often(bench: Bench) -> None:
    class Noted(FailingQueue):
        def _fail_if_told(self, call: str) -> None:
            pauses.append(it._backoff.seconds)
            super()._fail_if_told(call)

    bench.enqueue(bench.product())
    pauses: list[float] = []
    it = new_worker(bench, ScriptedTransport(), queue=Noted.of(bench, claim=3))
    await it.run(drain=True)
    doubled = [FIRST_SECONDS * factor for factor in (1, 2, 4, 8)]
    assert pauses[:4] == doubled
    assert pauses[4:]
    assert set(pauses[4:]) == {FIRST_SECONDS}


@run_in_loop
async def test_attempts_that_end_with_the_worker_are_settled_though_the_database_was_unavailable(
    bench: Bench,
) -> None:
    deliveries = bench.enqueue(bench.product(), 2)
    transport = HoldingTransport()
    it = new_worker(bench, transport, queue=FailingQueue.of(bench, settle=1))
    async with run_worker(it) as task:
        await transport.sent(2)
        it.stop()
        transport.let_go()
        await task
    assert states(bench, deliveries) == {DeliveryState.DELIVERED: 2}


@run_in_loop
async def test_deliveries_that_cannot_be_released_come_back_with_their_lease(bench: Bench) -> None:
    gone, there = bench.product("Gone"), bench.product("There")
    homeless, delivered = bench.enqueue(gone), bench.enqueue(there)
    bench.remove_url(gone)
    await new_worker(bench, ScriptedTransport(), queue=FailingQueue.of(bench, release=1)).run(
        drain=True
    )
    assert states(bench, delivered) == {DeliveryState.DELIVERED: 1}
    bench.clock.advance(seconds=LEASE_SECONDS)
    await new_worker(bench, ScriptedTransport()).run(drain=True)
    assert states(bench, homeless) == {DeliveryState.CANCELLED: 1}


@run_in_loop
async def test_a_drain_goes_on_after_a_claim_of_deliveries_without_a_url(bench: Bench) -> None:
    product = bench.product()
    deliveries = bench.enqueue(product, 5)
    bench.remove_url(product)
    transport = ScriptedTransport()
    await new_worker(bench, transport, concurrency=2).run(drain=True)
    assert states(bench, deliveries) == {DeliveryState.CANCELLED: 5}
    assert transport.requests == []


@run_in_loop
async def test_an_error_in_the_sender_itself_loses_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    deliveries = bench.enqueue(bench.product(), 3)
    await new_worker(bench, ScriptedTransport(ZeroDivisionError())).run(drain=True)
    assert [bench.state(each) for each in deliveries] == ["in_flight", "delivered", "delivered"]
    assert "failed in the sender itself" in caplog.text
    bench.clock.advance(seconds=LEASE_SECONDS)
    await new_worker(bench, ScriptedTransport()).run(drain=True)
    assert states(bench, deliveries) == {DeliveryState.DELIVERED: 3}


@run_in_loop
async def test_an_attempt_that_failed_in_the_sender_is_not_renewed_with_its_neighbours(
    bench: Bench,
) -> None:
    failed, neighbour = bench.enqueue(bench.product(), 2)
    transport = HoldingTransport(ZeroDivisionError())
    async with run_worker(new_worker(bench, transport, queue=bench.queue(lease_seconds=0.03))):
        await transport.sent(2)
        until = bench.delivery(failed).lease_until
        await wait_for_renewal(bench, neighbour)
        assert bench.delivery(failed).lease_until == until
        transport.let_go()


@run_in_loop
async def test_a_long_send_keeps_its_lease(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    transport = HoldingTransport()
    async with run_worker(new_worker(bench, transport, queue=bench.queue(lease_seconds=0.03))):
        await transport.sent(1)
        for _ in range(3):
            await wait_for_renewal(bench, delivery)
        transport.let_go()
    assert [each.outcome for each in bench.attempts(delivery)] == [Outcome.DELIVERED]


async def wait_for_renewal(bench: Bench, delivery: str) -> None:
    """Let a part of a short lease go by, and wait until it is held for longer."""
    before = bench.delivery(delivery).lease_until
    bench.clock.advance(seconds=0.02)
    await async_wait_until(
        lambda: bench.delivery(delivery).lease_until != before, "the lease is renewed"
    )


@run_in_loop
async def test_a_worker_that_lost_its_lease_logs_a_warning(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def sleep() -> None:
        bench.expire_leases(bench.queue())
        claim(bench.queue())

    (delivery,) = bench.enqueue(bench.product())
    watcher = RecordingWatcher()
    await new_worker(bench, ActingTransport(sleep), watcher=watcher).run(drain=True)
    assert "lease was lost" in caplog.text
    assert watcher.ends == []
    assert bench.state(delivery) is DeliveryState.IN_FLIGHT
    assert [each.outcome for each in bench.attempts(delivery)] == [Outcome.UNKNOWN]


@run_in_loop
async def test_an_attempt_whose_delivery_was_deleted_logs_no_warning(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    product = bench.product()
    bench.enqueue(product)
    transport = ActingTransport(lambda: bench.delete(product))
    with caplog.at_level(logging.INFO, logger="leanbe_emitter.delivery.worker.leases"):
        await new_worker(bench, transport).run(drain=True)
    assert [(each.levelname, "were deleted" in each.message) for each in caplog.records] == [
        ("INFO", True)
    ]


@run_in_loop
async def test_suspects_are_attempted_one_after_the_other(bench: Bench) -> None:
    class Counting(RecordingWatcher):
        most = 0
        now = 0

        def started(self, attempt: StartedAttempt) -> None:
            super().started(attempt)
            self.now += attempt.delivery_id in suspects
            self.most = max(self.most, self.now)

        def ended(self, attempt: Attempt) -> None:
            super().ended(attempt)
            self.now -= attempt.delivery_id in suspects

    product = bench.product()
    suspects = bench.enqueue(product, 4)
    claim(bench.queue())
    bench.expire_leases(bench.queue())
    fresh = bench.enqueue(product, 4)
    watcher = Counting()
    await new_worker(bench, ScriptedTransport(), watcher=watcher).run(drain=True)
    assert states(bench, [*suspects, *fresh]) == {DeliveryState.DELIVERED: 8}
    assert watcher.most == 1


@run_in_loop
async def test_a_worker_that_stops_asks_the_database_no_more_than_it_has_to(bench: Bench) -> None:
    class Counted(FailingQueue):
        def _fail_if_told(self, call: str) -> None:
            asked[call] += 1

    asked: Counter[str] = Counter()
    bench.enqueue(bench.product())
    transport = HoldingTransport()
    it = new_worker(bench, transport, queue=Counted.of(bench))
    async with run_worker(it) as task:
        await transport.sent(1)
        it.stop()
        transport.let_go()
        await task
    assert asked["settle"] == 1


@run_in_loop
async def test_a_database_that_stays_unavailable_does_not_keep_a_worker_from_ending(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    (delivery,) = bench.enqueue(bench.product())
    transport = HoldingTransport()
    it = new_worker(bench, transport, queue=FailingQueue.of(bench, settle=100))
    async with run_worker(it) as task:
        await transport.sent(1)
        while it._backoff.next() < LONGEST_SECONDS:  # it has been away for long
            pass
        it.stop()
        transport.let_go()
        await task
    assert it._backoff.next() < LONGEST_SECONDS
    assert "stayed unavailable" in caplog.text
    bench.clock.advance(seconds=LEASE_SECONDS)
    await new_worker(bench, ScriptedTransport()).run(drain=True)
    outcomes = [each.outcome for each in bench.attempts(delivery)]
    assert outcomes == [Outcome.UNKNOWN, Outcome.DELIVERED]


@run_in_loop
async def test_abandon_interrupts_only_attempts_of_deleted_deliveries(bench: Bench) -> None:
    gone, there = bench.product("Gone"), bench.product("There")
    bench.enqueue(gone)
    kept = bench.enqueue(there)
    transport = HoldingTransport()
    it = new_worker(bench, transport)
    async with run_worker(it):
        await transport.sent(2)
        bench.delete(gone)
        await it.abandon()
        assert transport.at_once == 1
        transport.let_go()
    assert states(bench, kept) == {DeliveryState.DELIVERED: 1}
    assert bench.rows("attempts") == 1


@run_in_loop
async def test_abandon_interrupts_all_attempts_while_the_database_is_unavailable(
    bench: Bench,
) -> None:
    deliveries = bench.enqueue(bench.product(), 2)
    transport = HoldingTransport()
    it = new_worker(bench, transport, queue=FailingQueue.of(bench, deleted_among=1))
    async with run_worker(it):
        await transport.sent(2)
        await it.abandon()
        assert transport.at_once == 0
    bench.clock.advance(seconds=LEASE_SECONDS)
    await new_worker(bench, ScriptedTransport()).run(drain=True)
    assert states(bench, deliveries) == {DeliveryState.DELIVERED: 2}
