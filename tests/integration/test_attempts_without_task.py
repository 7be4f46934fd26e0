"""Attempts that are made without a task: what they leave, and how they end with their worker."""

import asyncio
from collections.abc import Sequence

import pytest

from leanbe_emitter.delivery.network.transport import Answer, Unknown
from leanbe_emitter.delivery.queue_types import Settlement
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from tests.support.engine_setup import LEASE_SECONDS, Bench, RecordingWatcher, claim, new_event
from tests.support.event_loops import run_in_loop, run_in_virtual_time, takes_virtual_seconds
from tests.support.scripted_transport import OK, Reply, ScriptedCallbackTransport, ScriptedTransport
from tests.support.waiting import async_wait_until
from tests.support.workers import new_worker, run_worker

pytestmark = pytest.mark.any_database

REFUSED = Answer(status=500, reason="Internal Server Error")
GRACE_SECONDS = 0.5
URLS = ("http://127.0.0.1:1/one", "http://127.0.0.1:1/other")


def states(bench: Bench, deliveries: Sequence[str]) -> list[DeliveryState]:
    return [bench.state(each) for each in deliveries]


REPLIES: dict[str, Reply] = {
    "accepted": OK,
    "refused": Answer(status=503, headers=(("Retry-After", "60"),), body=b"b", body_length=9),
    "unknown": Unknown("no complete answer within 10 s"),
    "broken off": Unknown("it broke", answer=Answer(status=200, body=b"half", body_length=4)),
    "remarkable": Answer(status=204, remark="it came before the whole request was out"),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
@run_in_loop
async def test_they_come_to_what_attempts_with_a_task_come_to(bench: Bench, reply: Reply) -> None:
    bench.enqueue(bench.product(headers={"X-Team": "blue"}))
    (claimed,) = claim(bench.queue())
    one, other = ScriptedTransport(reply), ScriptedCallbackTransport(reply)
    by_task = await bench.sender(one).send(claimed)
    attempt = bench.sender(other).begin(claimed, lambda _: ended.set())
    assert attempt is not None
    ended = asyncio.Event()
    await ended.wait()
    assert without_duration(attempt.settlement()) == without_duration(by_task)
    assert other.requests == one.requests


def without_duration(settlement: Settlement) -> Settlement:
    assert settlement.evidence.duration_us >= 0
    return settlement._replace(evidence=settlement.evidence._replace(duration_us=0))


@run_in_loop
async def test_they_need_no_task(bench: Bench) -> None:
    deliveries = [each for name in "ABC" for each in bench.enqueue(bench.product(name), 15)]
    watcher, transport = RecordingWatcher(), ScriptedCallbackTransport()
    before = len(asyncio.all_tasks())
    async with run_worker(
        new_worker(bench, transport, concurrency=8, per_product=2, watcher=watcher)
    ):
        await async_wait_until(lambda: transport.requests, "some are made")
        # The worker's own, and the one that renews its leases.
        assert len(asyncio.all_tasks()) <= before + 2
        await async_wait_until(lambda: len(watcher.ends) == 45, "all are made")
    assert set(states(bench, deliveries)) == {DeliveryState.DELIVERED}


@pytest.mark.parametrize("kind", ["a fault", "an assumption", "an override"])
def test_an_attempt_that_is_not_plain_takes_a_task(bench: Bench, kind: str) -> None:
    product = bench.product()
    if kind == "an assumption":
        bench.assume(product, ordering="strict")
    if kind == "a fault":
        bench.arm("wrong_secret")
    assumptions = {"timeout": "5"} if kind == "an override" else {}
    bench.record(new_event(product, assumptions=assumptions))
    (claimed,) = claim(bench.queue())
    transport = ScriptedCallbackTransport()
    assert bench.sender(transport).begin(claimed, lambda _: None) is None
    assert transport.requests == []


@run_in_loop
async def test_a_change_of_the_webhook_changes_the_next_request(bench: Bench) -> None:
    product = bench.product(headers={"X-Team": "blue"})
    transport = ScriptedCallbackTransport()
    sender, queue = bench.sender(transport), bench.queue()
    for url in URLS:
        bench.set_url(product, url)
        bench.enqueue(product)
        (claimed,) = claim(queue)
        ended = asyncio.Event()
        attempt = sender.begin(claimed, lambda _, ended=ended: ended.set())  # type: ignore[misc]
        assert attempt is not None
        await ended.wait()
        queue.settle([attempt.settlement()])
    assert [each.url for each in transport.requests] == list(URLS)


@run_in_virtual_time
async def test_a_stop_waits_for_them(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 2)
    transport = ScriptedCallbackTransport(waits=True)
    it = new_worker(bench, transport, grace_seconds=GRACE_SECONDS)
    async with run_worker(it):
        await async_wait_until(lambda: len(transport.in_flight) == 2, "both are in flight")
        it.stop()
        asyncio.get_running_loop().call_later(GRACE_SECONDS / 2, transport.let_go)
    assert states(bench, deliveries) == [DeliveryState.DELIVERED] * 2


@run_in_virtual_time
async def test_those_that_do_not_end_in_time_are_settled_as_interrupted(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 2)
    transport = ScriptedCallbackTransport(waits=True)
    it = new_worker(bench, transport, grace_seconds=GRACE_SECONDS)
    async with run_worker(it) as task:
        await async_wait_until(lambda: len(transport.in_flight) == 2, "both are in flight")
        begun = bench.now
        bench.clock.advance(seconds=3)
        it.stop()
        with takes_virtual_seconds(GRACE_SECONDS):
            await task
    assert transport.in_flight == []
    assert states(bench, deliveries) == [DeliveryState.READY] * 2
    for each in deliveries:
        (attempt,) = bench.attempts(each)
        assert (attempt.outcome, attempt.started_at) == (Outcome.UNKNOWN, begun)
        assert ["Content-Type", "application/json"] in attempt.request_headers
        assert bench.delivery(each).attempts_counted == 0


@run_in_loop
async def test_abandon_interrupts_only_attempts_of_deleted_deliveries(bench: Bench) -> None:
    gone, there = bench.product("Gone"), bench.product("There")
    bench.enqueue(gone)
    kept = bench.enqueue(there)
    transport = ScriptedCallbackTransport(waits=True)
    it = new_worker(bench, transport)
    async with run_worker(it):
        await async_wait_until(lambda: len(transport.in_flight) == 2, "both are in flight")
        bench.delete(gone)
        await it.abandon()
        assert len(transport.in_flight) == it.in_flight == 1
        transport.let_go()
    assert states(bench, kept) == [DeliveryState.DELIVERED]
    assert bench.rows("attempts") == 1


@run_in_virtual_time
async def test_a_stop_does_not_wait_for_what_was_abandoned_meanwhile(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product)
    transport = ScriptedCallbackTransport(waits=True)
    it = new_worker(bench, transport, grace_seconds=GRACE_SECONDS)
    async with run_worker(it) as task:
        await async_wait_until(lambda: transport.in_flight, "it is in flight")
        bench.delete(product)
        it.stop()
        with takes_virtual_seconds(0.01):
            await asyncio.sleep(0.01)
            await it.abandon()
            await task


@run_in_loop
async def test_an_error_in_the_sender_itself_loses_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    deliveries = bench.enqueue(bench.product(), 3)
    await new_worker(bench, ScriptedCallbackTransport(ZeroDivisionError())).run(drain=True)
    assert states(bench, deliveries) == ["in_flight", "delivered", "delivered"]
    assert caplog.text.count("failed in the sender itself") == 1
    bench.clock.advance(seconds=LEASE_SECONDS)
    await new_worker(bench, ScriptedCallbackTransport()).run(drain=True)
    assert states(bench, deliveries) == [DeliveryState.DELIVERED] * 3


@run_in_loop
async def test_an_error_at_the_beginning_loses_nothing_either(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(ScriptedCallbackTransport):
        def prepare(self, request: object) -> None:  # type: ignore[override]
            raise ZeroDivisionError(request)

    (delivery,) = bench.enqueue(bench.product())
    await new_worker(bench, Failing()).run(drain=True)
    assert bench.state(delivery) is DeliveryState.IN_FLIGHT
    assert "failed in the sender itself" in caplog.text
