"""A visit to the queue: what ended is settled and what is due is claimed, both or neither."""

import pytest

from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import PollResult, Queue
from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from tests.support.engine_setup import ALL, Bench, claim, ids_of, settlement_of
from tests.support.recorded_statements import StatementFailed, record_statements

ROOM = Room(total=ALL, held={}, per_product=ALL)
#: What an exchange of a hundred deliveries sends at the most, settling and claiming.
FEW = 8


def poll(queue: Queue, *ended: Settlement, room: Room = ROOM) -> PollResult:
    return queue.poll(ended, room)


def settlements_as_delivered(claimed: list[Claimed]) -> list[Settlement]:
    return [settlement_of(each) for each in claimed]


def test_a_hundred_deliveries_of_fifty_products_cost_a_few_statements(bench: Bench) -> None:
    for number in range(50):
        bench.enqueue(bench.product(f"P{number}"), 4)
    queue = bench.queue()
    first = list(poll(queue, room=Room(total=100, held={}, per_product=2)).claimed)
    with record_statements(bench.database) as sent:
        second = poll(queue, *settlements_as_delivered(first))
    assert len(first) == len(second.claimed) == 100
    assert len(sent) <= FEW


def test_a_poll_of_postgresql_asks_once_for_due_work(postgresql_bench: Bench) -> None:
    queue = postgresql_bench.queue()
    with record_statements(postgresql_bench.database) as idle:
        assert poll(queue) == PollResult()
    postgresql_bench.enqueue(postgresql_bench.product())
    with record_statements(postgresql_bench.database) as one:
        assert len(poll(queue).claimed) == 1
    assert (len(idle), len(one)) == (1, 4)


def test_a_settled_delivery_makes_room_for_the_next_of_a_strict_product(bench: Bench) -> None:
    first, second = bench.enqueue(bench.product(ordering="strict"), 2)
    queue = bench.queue()
    (claimed,) = poll(queue).claimed
    assert claimed.delivery_id == first
    assert ids_of(list(poll(queue, settlement_of(claimed)).claimed)) == [second]


def test_a_waiting_delivery_that_is_due_is_claimed_at_once(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product())
    queue = bench.queue()
    (claimed,) = poll(queue).claimed
    refused = settlement_of(claimed, Outcome.REFUSED, due_at=bench.now + 5000)
    assert poll(queue, refused).claimed == []
    bench.clock.advance(seconds=5)
    assert ids_of(list(poll(queue).claimed)) == deliveries


def test_a_delivery_whose_lease_ran_out_is_reaped_and_claimed_at_once(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product())
    claim(bench.queue())
    bench.clock.advance(minutes=1)
    got = poll(bench.queue())
    assert [each.delivery_id for each in got.vanished] == ids_of(list(got.claimed)) == deliveries


def test_a_late_settlement_is_reported_and_the_poll_still_claims(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product)
    queue = bench.queue()
    (late,) = poll(queue).claimed
    bench.expire_leases(bench.queue())
    fresh = bench.enqueue(product)
    room = Room(total=1, held={}, per_product=1, among={DeliveryState.NEW})
    got = poll(queue, settlement_of(late), room=room)
    assert got.lost == {late.delivery_id}
    assert ids_of(list(got.claimed)) == fresh


@pytest.mark.parametrize(
    ("database_url", "failing"),
    [
        *(("sqlite", number) for number in range(1, 8)),
        *(("postgresql", number) for number in range(1, 6)),
    ],
    indirect=["database_url"],
)
def test_an_exchange_that_fails_has_settled_and_claimed_nothing(bench: Bench, failing: int) -> None:
    product = bench.product()
    first, second = bench.enqueue(product, 2)
    queue = bench.queue()
    (claimed,) = poll(queue, room=Room(total=1, held={}, per_product=1)).claimed
    with pytest.raises(StatementFailed), record_statements(bench.database, failing=failing):
        poll(queue, settlement_of(claimed))
    assert [bench.state(each) for each in (first, second)] == ["in_flight", "new"]
    assert bench.rows("attempts") == 0
    again = poll(queue, settlement_of(claimed))
    assert (again.lost, ids_of(list(again.claimed))) == (set(), [second])
    assert bench.state(first) is DeliveryState.DELIVERED


def test_a_poll_without_work_writes_nothing(bench: Bench) -> None:
    queue = bench.queue()
    with record_statements(bench.database) as sent:
        assert poll(queue) == PollResult()
    assert len(sent) == 1
    assert sent.sent[0].lstrip().startswith("SELECT")


def test_without_room_and_without_news_the_database_is_left_alone(bench: Bench) -> None:
    bench.enqueue(bench.product())
    with record_statements(bench.database) as sent:
        assert poll(bench.queue(), room=Room(total=0, held={}, per_product=1)) == PollResult()
    assert len(sent) == 0
