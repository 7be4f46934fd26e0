"""Attempts in the foreground: in order, one at a time, and accounted for when they break off."""

import asyncio

import pytest

from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.network.transport import Answer, Transport
from leanbe_emitter.delivery.watching import Watcher
from leanbe_emitter.delivery.worker.foreground import Foreground
from leanbe_emitter.library.runtime.awaitables import drive
from leanbe_emitter.library.runtime.delivery_engine import Engine
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from tests.support.engine_setup import Bench, RecordingWatcher, claim, ids_of
from tests.support.scripted_transport import OK, ActingTransport, ScriptedTransport

pytestmark = pytest.mark.any_database

REFUSED = Answer(status=500)


def foreground(bench: Bench, transport: Transport, watcher: Watcher | None = None) -> Foreground:
    return Foreground(
        bench.queue(),
        bench.sender(transport),
        clock=bench.clock,
        watcher=watcher or RecordingWatcher(),
    )


def states(bench: Bench, deliveries: list[str]) -> list[DeliveryState]:
    return [bench.state(each) for each in deliveries]


def test_attempts_are_made_in_their_order_one_at_a_time(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 3)
    transport, watcher = ScriptedTransport(OK, REFUSED), RecordingWatcher()
    claimed = claim(bench.queue())
    settled = asyncio.run(foreground(bench, transport, watcher).attempt(claimed))
    assert [each.delivery_id for each in settled] == deliveries
    assert [each.body.decode() for each in transport.requests] == [each.body for each in claimed]
    assert ids_of(watcher.begins) == deliveries
    assert watcher.ends == settled
    assert states(bench, deliveries) == ["delivered", "waiting", "delivered"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interruption_loses_nothing(bench: Bench, stop: type[BaseException]) -> None:
    deliveries = bench.enqueue(bench.product(), 4)
    work = foreground(bench, ScriptedTransport(OK, stop())).attempt(claim(bench.queue()))
    with pytest.raises(stop):
        asyncio.run(work)
    assert states(bench, deliveries) == ["delivered", "ready", "new", "new"]
    (attempt,) = bench.attempts(deliveries[1])
    assert (attempt.number, attempt.outcome) == (1, Outcome.UNKNOWN)
    assert "stopped" in (attempt.error or "")
    rows = [bench.delivery(each) for each in deliveries[1:]]
    assert [each.attempts_started for each in rows] == [1, 0, 0]
    assert [each.attempts_counted for each in rows] == [0, 0, 0]
    assert ids_of(claim(bench.queue())) == deliveries[1:]


def test_an_error_of_our_own_leaves_its_attempt_to_the_lease(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 2)
    work = foreground(bench, ScriptedTransport(ZeroDivisionError())).attempt(claim(bench.queue()))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(work)
    assert states(bench, deliveries) == ["in_flight", "new"]
    bench.expire_leases(bench.queue())
    assert bench.attempts(deliveries[0])[0].outcome is Outcome.UNKNOWN


def test_an_attempt_whose_watcher_raises_was_not_begun(bench: Bench) -> None:
    class Gone(RecordingWatcher):
        def started(self, _: object) -> None:
            raise BrokenPipeError

    deliveries = bench.enqueue(bench.product(), 2)
    transport = ScriptedTransport()
    work = foreground(bench, transport, Gone()).attempt(claim(bench.queue()))
    with pytest.raises(BrokenPipeError):
        asyncio.run(work)
    assert transport.requests == []
    assert states(bench, deliveries) == ["new", "new"]


def test_a_delivery_whose_webhook_has_no_url_any_more_is_cancelled(bench: Bench) -> None:
    gone, there = bench.product("Gone"), bench.product("There")
    deliveries = [*bench.enqueue(gone), *bench.enqueue(there)]
    bench.remove_url(gone)
    asyncio.run(foreground(bench, ScriptedTransport()).attempt(claim(bench.queue())))
    assert states(bench, deliveries) == ["cancelled", "delivered"]


def test_a_lease_lost_meanwhile_is_not_settled_here(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    (delivery,) = bench.enqueue(bench.product())
    watcher = RecordingWatcher()
    work = foreground(
        bench, ActingTransport(lambda: bench.expire_leases(bench.queue())), watcher
    ).attempt(claim(bench.queue()))
    assert asyncio.run(work) == watcher.ends == []
    assert bench.state(delivery) is DeliveryState.SUSPECT
    assert "lease was lost" in caplog.text


def test_a_delivery_deleted_meanwhile_logs_no_warning(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    product = bench.product()
    bench.enqueue(product)
    transport = ActingTransport(lambda: bench.delete(product))
    asyncio.run(foreground(bench, transport).attempt(claim(bench.queue())))
    assert caplog.records == []
    assert bench.rows("deliveries") == 0


def test_everything_due_is_attempted_once(bench: Bench) -> None:
    product = bench.product(backoff="0s")
    again, later = bench.enqueue_retries(product, 2)
    fresh = bench.enqueue(product, 2)
    queue = bench.queue()
    held = queue.claim_one(later)
    assert held is not None
    transport = ScriptedTransport(*[REFUSED] * 3)
    settled = asyncio.run(foreground(bench, transport).deliver_due())
    assert sorted(each.delivery_id for each in settled) == sorted([again, *fresh])
    assert len(transport.requests) == 3


def test_more_is_delivered_than_one_statement_wakes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leanbe_emitter.delivery.queue.queue.BATCH", 2)
    product = bench.product()
    queue = bench.queue()
    waiting = bench.enqueue(product, 5)
    asyncio.run(foreground(bench, ScriptedTransport(*[REFUSED] * 5)).attempt(claim(queue)))
    lost = bench.enqueue(product, 5)
    claim(queue)
    bench.clock.advance(minutes=1)
    settled = asyncio.run(foreground(bench, ScriptedTransport()).deliver_due())
    assert {each.delivery_id for each in settled} == {*waiting, *lost}


def test_leases_are_renewed_between_attempts_without_a_loop(bench: Bench) -> None:
    def take_a_second() -> None:
        held_until.append(bench.delivery(deliveries[1]).lease_until)
        bench.clock.advance(seconds=1)

    held_until = list[int | None]()
    deliveries = bench.enqueue(bench.product(), 2)
    queue = bench.queue(lease_seconds=0.001)  # so that a renewal is due before each attempt
    work = Foreground(
        queue,
        bench.sender(ActingTransport(take_a_second)),
        clock=bench.clock,
        watcher=RecordingWatcher(),
    )
    drive(work.attempt(claim(queue)))
    first, second = filter(None, held_until)
    assert second - first == 1000
    assert states(bench, deliveries) == ["delivered", "delivered"]


@pytest.fixture
def engine(bench: Bench) -> Engine:
    settings = Settings()
    transactions = Transactions(
        bench.database, clock=bench.clock, ids=bench.ids, settings=settings, assume={}
    )
    return Engine(
        transactions,
        settings=settings,
        transport=ScriptedTransport(),
        receivers=ReceiverRegistry(),
        raises_app_errors=True,
    )


def test_follow_takes_a_delivery_over_from_a_dead_worker(bench: Bench, engine: Engine) -> None:
    (delivery,) = bench.enqueue(bench.product())
    claim(bench.queue())
    bench.clock.advance(minutes=1)
    drive(
        engine.follow(
            [delivery],
            is_pending=lambda each: not bench.state(each).is_end,
            watcher=RecordingWatcher(),
        )
    )
    drive(engine.close())
    outcomes = [each.outcome for each in bench.attempts(delivery)]
    assert outcomes == [Outcome.UNKNOWN, Outcome.DELIVERED]


def test_a_first_attempt_is_not_made_after_its_lease_was_lost(bench: Bench, engine: Engine) -> None:
    lease = engine.new_lease()
    deliveries = bench.enqueue(bench.product(), lease=lease)
    bench.expire_leases(bench.queue())
    other = claim(bench.queue())
    assert drive(engine.attempt(deliveries, lease=lease, watcher=RecordingWatcher())) == []
    drive(engine.close())
    assert len(other) == 1
    assert bench.state(deliveries[0]) is DeliveryState.IN_FLIGHT
