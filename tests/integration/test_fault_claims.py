"""Faults as claims meet them: N means N, whoever claims; and without faults they cost nothing."""

import asyncio

import pytest

from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.queue_types import Claimed
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import DeliveryRow
from tests.support.concurrency import call_at_once
from tests.support.engine_setup import ALL, Bench, claim, ids_of, settlement_of
from tests.support.recorded_statements import record_statements
from tests.support.scripted_transport import ScriptedTransport
from tests.support.workers import new_worker

ROOM = Room(total=ALL, held={}, per_product=ALL)
#: What a claim sends for its faults at the most, where each is for another delivery.
LOOKS = 4


def faults_of(claimed: list[Claimed]) -> list[str | None]:
    return [None if each.fault is None else str(each.fault) for each in claimed]


@pytest.mark.parametrize("used_up", [False, True])
def test_no_statement_asks_for_faults_unless_one_is_armed(bench: Bench, *, used_up: bool) -> None:
    product = bench.product()
    queue = bench.queue()
    if used_up:
        bench.arm("wrong_secret")
        bench.enqueue(product)
        queue.settle([settlement_of(each) for each in claim(queue)])
    bench.enqueue(product, 100)
    with record_statements(bench.database) as sent:
        first = queue.poll([], ROOM).claimed
        queue.poll([settlement_of(each) for each in first], ROOM)
    assert len(first) == 100
    about_faults = [each for each in sent.sent if "faults" in each]
    assert all("FROM webhooks" in each or "JOIN webhooks" in each for each in about_faults)


def test_faults_cost_a_few_statements_whatever_the_claim(bench: Bench) -> None:
    bench.enqueue(bench.product(), 100)
    with record_statements(bench.database) as without:
        queue = bench.queue()
        queue.release(claim(queue))
    bench.arm("wrong_secret", event="okr.*")
    with record_statements(bench.database) as sent:
        claim(bench.queue())
    assert len(sent) <= len(without) + LOOKS


def test_each_is_taken_as_often_as_asked_in_the_order_of_events(bench: Bench) -> None:
    bench.enqueue(bench.product(), 5)
    first = bench.arm("wrong_secret", times=2)
    second = bench.arm("unknown_field", times=9)
    claimed = claim(bench.queue())
    assert faults_of(claimed) == ["wrong_secret"] * 2 + ["unknown_field"] * 3
    assert (bench.fired(first), bench.fired(second)) == (2, 3)


def test_several_workers_take_it_as_often_as_asked_together(bench: Bench) -> None:
    for name in "ABCD":
        bench.enqueue(bench.product(name), 10)
    fault = bench.arm("wrong_secret", times=15)
    queues = [bench.queue() for _ in range(4)]

    def work(queue: Queue) -> list[Claimed]:
        taken: list[Claimed] = []
        while claimed := claim(queue, 1):
            taken += claimed
            queue.settle([settlement_of(each) for each in claimed])
        return taken

    done = call_at_once(*(lambda queue=each: work(queue) for each in queues))
    everything = [each for one in done if isinstance(one, list) for each in one]
    assert len(everything) == 40
    assert faults_of(everything).count("wrong_secret") == bench.fired(fault) == 15
    assert bench.rows("taken_faults") == 0


def test_a_worker_that_is_killed_takes_no_fault_along(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    fault = bench.arm("wrong_secret")
    assert faults_of(claim(bench.queue())) == ["wrong_secret"]
    bench.expire_leases(bench.queue())
    assert faults_of(claim(bench.queue())) == ["wrong_secret"]
    assert bench.fired(fault) == 1
    assert [each.fault for each in bench.attempts(delivery)] == [None], "nobody knows of that one"


def test_a_released_delivery_keeps_its_fault(bench: Bench) -> None:
    bench.enqueue(bench.product(), 2)
    fault = bench.arm("wrong_secret")
    queue = bench.queue()
    queue.release(claim(queue))
    assert faults_of(claim(queue)) == ["wrong_secret", None]
    assert bench.fired(fault) == 1


def test_a_late_settlement_does_not_end_a_fault(bench: Bench) -> None:
    bench.enqueue(bench.product())
    bench.arm("delivered_twice")
    (late,) = claim(queue := bench.queue())
    bench.expire_leases(bench.queue())
    assert queue.settle([settlement_of(late)]) == {late.delivery_id}
    assert faults_of(claim(bench.queue())) == ["delivered_twice"]


def test_a_delivery_that_a_fault_holds_back_makes_room_for_the_next(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 3)
    bench.arm("delivered_late:1h", times=2)
    queue = bench.queue()
    assert ids_of(claim(queue, 1)) == deliveries[2:]
    assert [bench.state(each) for each in deliveries] == ["waiting", "waiting", "in_flight"]
    held = bench.delivery(deliveries[0])
    assert (held.due_at - bench.now, held.attempts_started) == (3_600_000, 0)
    bench.clock.advance(hours=1)
    queue.wake()
    assert faults_of(claim(queue)) == ["delivered_late:1h"] * 2


def test_one_delivery_that_is_held_back_is_not_claimed(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    bench.arm("delivered_late:1h")
    assert bench.queue().claim_one(delivery) is None
    assert bench.state(delivery) is DeliveryState.WAITING


def test_a_delivery_that_was_leased_with_its_event_takes_faults_too(bench: Bench) -> None:
    queue = bench.queue()
    lease = queue.new_lease()
    bench.arm("delivered_late:1h")
    bench.arm("wrong_secret")
    deliveries = bench.enqueue(bench.product(), 3, lease=lease)
    loaded = queue.load(deliveries, token=lease.token)
    assert ids_of(loaded) == deliveries[1:]
    assert faults_of(loaded) == ["wrong_secret", None]


def test_one_is_overtaken_by_one_even_in_the_same_claim(bench: Bench) -> None:
    first, second, third = bench.enqueue(bench.product(), 3)
    bench.arm("delivered_out_of_order")
    queue = bench.queue()
    claimed = claim(queue)
    assert ids_of(claimed) == [second, third]
    assert faults_of(claimed) == ["delivered_out_of_order:overtakes", None]
    (freed,) = queue.poll([settlement_of(claimed[0])], ROOM).claimed
    assert (freed.delivery_id, freed.number) == (first, 1)
    assert str(freed.fault) == "delivered_out_of_order:overtaken"


def test_a_delivery_discarded_under_a_fault_costs_no_later_claims(bench: Bench) -> None:
    product = bench.product()
    (held,) = bench.enqueue(product)
    bench.arm("delivered_late:1h")
    queue = bench.queue()
    assert claim(queue) == []
    bench.set_state(held, DeliveryState.CANCELLED)
    bench.enqueue(product, 2)
    assert claim(queue, 1)[0].webhook.has_faults
    assert not claim(queue, 1)[0].webhook.has_faults
    assert bench.rows("taken_faults") == 0


def test_a_delivery_in_flight_by_then_is_not_overtaken(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product)
    bench.arm("delivered_out_of_order:1m")
    queue = bench.queue()
    assert claim(queue) == []
    bench.clock.advance(minutes=1)
    queue.wake()
    assert faults_of(claim(queue)) == ["delivered_out_of_order:1m"]
    bench.enqueue(product)
    assert faults_of(claim(queue)) == [None]


def test_making_an_overtaken_delivery_due_waits_for_nobody(postgresql_ready: str) -> None:
    # What waits for a lock fails here, where it would hang.
    database = Database(f"{postgresql_ready}?options=-c%20lock_timeout%3D1s")
    bench = Bench(database=database)
    first, second = bench.enqueue(bench.product(), 2)
    bench.arm("delivered_out_of_order")
    (overtakes,) = claim(queue := bench.queue())
    with database.transaction() as session:
        session.get_one(DeliveryRow, first, with_for_update=True)
        assert queue.settle([settlement_of(overtakes)]) == set()
    assert [bench.state(each) for each in (first, second)] == ["waiting", "delivered"]
    bench.clock.advance(minutes=1)
    queue.wake()
    assert ids_of(claim(queue)) == [first]
    database.close()


def test_a_worker_misbehaves_like_everybody(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 4)
    bench.arm("receiver_fails:status:500")
    bench.arm("delivered_twice")
    bench.arm("delivered_late:1h")
    transport = ScriptedTransport()
    asyncio.run(new_worker(bench, transport, concurrency=2, per_product=2).run(drain=True))
    assert [bench.state(each) for each in deliveries] == [
        "waiting",
        "delivered",
        "waiting",
        "delivered",
    ]
    assert [[each.fault for each in bench.attempts(one)] for one in deliveries] == [
        ["receiver_fails:status:500"],
        ["delivered_twice", "delivered_twice:again"],
        [],
        [None],
    ]
    assert len(transport.requests) == 3
