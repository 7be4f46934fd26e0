"""The queue's claims: what is due and held by nobody, in order and fairly."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from leanbe_emitter.delivery.queue.due_queries import Due
from leanbe_emitter.delivery.queue.queue import BATCH, Queue
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from tests.support.engine_setup import LEASE_SECONDS, URL, Bench, claim, ids_of, settlement_of
from tests.support.recorded_statements import record_statements
from tests.support.waiting import PATIENCE_SECONDS


def test_a_products_deliveries_come_in_the_order_of_its_events(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 7)
    queue = bench.queue()
    assert ids_of(claim(queue, 3)) == deliveries[:3]
    assert ids_of(claim(queue, 3)) == deliveries[3:6]
    assert ids_of(claim(queue, 3)) == deliveries[6:]
    assert claim(queue, 3) == []


def test_a_claimed_delivery_has_all_that_an_attempt_needs(bench: Bench) -> None:
    product = bench.product(headers={"X-Team": "blue"}, max_attempts="3", method="PUT")
    (delivery,) = bench.enqueue(product)
    (claimed,) = claim(bench.queue())
    event = bench.event(claimed.event_id)
    row = bench.delivery(delivery)
    assert (row.state, row.lease_token) == (DeliveryState.IN_FLIGHT, claimed.token)
    assert row.lease_until == bench.now + LEASE_SECONDS * 1000
    assert (claimed.number, claimed.attempts_counted, claimed.sequence) == (1, 0, 1)
    assert (claimed.body, claimed.method) == (event.body, "PUT")
    assert ("X-Team", "blue") in claimed.headers
    assert claimed.webhook.url == URL
    assert claimed.webhook.assumptions == {"max_attempts": "3", "method": "PUT"}


def test_the_webhook_is_the_present_one(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product)
    bench.set_url(product, "http://127.0.0.1:2/elsewhere")
    bench.rotate(product, "whsec_new")
    (claimed,) = claim(bench.queue())
    assert claimed.webhook.url == "http://127.0.0.1:2/elsewhere"
    assert claimed.webhook.secret == "whsec_new"
    assert "whsec_new" not in repr(claimed)


def test_a_claimed_delivery_is_not_claimed_again(bench: Bench) -> None:
    bench.enqueue(bench.product(), 3)
    assert len(claim(bench.queue())) == 3
    assert claim(bench.queue()) == []


def test_nothing_is_taken_without_room(bench: Bench) -> None:
    bench.enqueue(bench.product())
    assert claim(bench.queue(), 0) == []


def test_room_is_shared_by_the_products(bench: Bench) -> None:
    for name in "ABCD":
        bench.enqueue(bench.product(name), 10)
    shares = Counter(each.product_id for each in claim(bench.queue(), 8))
    assert sorted(shares.values()) == [2, 2, 2, 2]


def test_every_product_has_its_turn(bench: Bench) -> None:
    products = [bench.product(f"P{n}") for n in range(5)]
    for product in products:
        bench.enqueue(product, 6)
    queue = bench.queue()
    turns = [each.product_id for _ in range(10) for each in claim(queue, 2)]
    assert Counter(turns) == dict.fromkeys(products, 4)


def test_every_product_has_its_turn_beside_a_flood_of_retries(bench: Bench) -> None:
    products = [bench.product(f"P{n}") for n in range(4)]
    bench.enqueue_retries(products[3], 40)
    for product in products[:3]:
        bench.enqueue(product, 10)
    queue = bench.queue()
    firsts = [each.product_id for _ in range(8) for each in claim(queue, 4) if each.number == 1]
    assert min(Counter(firsts)[product] for product in products[:3]) >= 7


def test_a_product_has_no_more_in_flight_than_its_limit(bench: Bench) -> None:
    dead, live = bench.product("Dead"), bench.product("Live")
    bench.enqueue(dead, 20)
    bench.enqueue(live, 2)
    claimed = claim(bench.queue(), per_product=3, held={dead: 1})
    assert Counter(each.product_id for each in claimed) == {dead: 2, live: 2}


def test_full_products_leave_the_room_to_the_others(bench: Bench) -> None:
    full = [bench.product(f"Full {n}") for n in range(5)]
    for product in full:
        bench.enqueue(product, 3)
    last = bench.enqueue(bench.product("Live"))
    held = dict.fromkeys(full, 2)
    assert ids_of(claim(bench.queue(), 1, per_product=2, held=held)) == last


@pytest.mark.parametrize("room", [1, 3, 4, 16])
def test_neither_first_attempts_nor_retries_starve(bench: Bench, room: int) -> None:
    product = bench.product()
    retries = set(bench.enqueue_retries(product, 60))
    bench.enqueue(product, 60)
    queue = bench.queue()
    taken: list[str] = []
    while len(taken) < 48:
        taken += ids_of(claim(queue, room))
    assert sum(1 for each in taken if each in retries) == 12


def test_retries_take_the_room_that_is_left(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue_retries(product, 10)
    bench.enqueue(product, 2)
    assert len(claim(bench.queue(), 8)) == 8


def test_two_who_claim_at_once_never_get_the_same(bench: Bench) -> None:
    products = [bench.product(f"P{n}") for n in range(3)]
    deliveries = [each for product in products for each in bench.enqueue(product, 40)]
    start = threading.Barrier(2)

    def work(queue: Queue) -> list[str]:
        taken: list[str] = []
        for _ in range(20):
            start.wait(PATIENCE_SECONDS)
            taken += ids_of(claim(queue, 7))
        return taken

    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(work, [bench.queue(), bench.queue()]))
    assert sorted(both[0] + both[1]) == sorted(deliveries)


def test_rows_that_another_transaction_locks_are_skipped(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    first, second = bench.enqueue(bench.product(), 2)
    with bench.database.transaction() as session:
        lock = text("SELECT id FROM deliveries WHERE id = :id FOR UPDATE")
        session.execute(lock, {"id": first})
        assert ids_of(claim(bench.queue())) == [second]


def test_rows_that_others_hold_are_not_claimed(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    bench.enqueue(bench.product(), 2)
    with bench.database.transaction() as session:
        session.execute(text("SELECT id FROM deliveries FOR UPDATE"))
        assert claim(bench.queue()) == []
    assert len(claim(bench.queue())) == 2


def test_it_is_taken_where_it_is_due(bench: Bench) -> None:
    one, other = bench.enqueue(bench.product(), 2)
    claimed = bench.queue().claim_one(other)
    assert claimed is not None
    assert (claimed.delivery_id, claimed.number) == (other, 1)
    assert bench.state(one) is DeliveryState.NEW
    assert bench.queue().claim_one(other) is None


def test_it_is_taken_when_it_has_waited_long_enough(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    (claimed,) = claim(queue)
    queue.settle([settlement_of(claimed, Outcome.REFUSED, due_at=bench.now + 5000)])
    assert queue.claim_one(delivery) is None
    bench.clock.advance(seconds=5)
    assert queue.claim_one(delivery) is not None


def test_a_suspect_is_taken_too(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    claim(queue)
    bench.expire_leases(queue)
    assert queue.claim_one(delivery) is not None


def test_deliveries_that_were_leased_when_recorded_are_loaded(bench: Bench) -> None:
    engine = bench.queue()
    lease = engine.new_lease()
    deliveries = bench.enqueue(bench.product(), 2, lease=lease)
    assert ids_of(engine.load(deliveries, token=lease.token)) == deliveries
    assert engine.load([], token=lease.token) == []


def test_many_that_were_leased_cost_the_statements_of_one(bench: Bench) -> None:
    engine = bench.queue()
    product = bench.product()
    counts = []
    for number in (1, 30):
        lease = engine.new_lease()
        deliveries = bench.enqueue(product, number, lease=lease)
        with record_statements(bench.database) as sent:
            assert len(engine.load(deliveries, token=lease.token)) == number
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_delivery_whose_lease_was_lost_is_not_loaded(bench: Bench) -> None:
    engine, other = bench.queue(), bench.queue()
    lease = engine.new_lease()
    deliveries = bench.enqueue(bench.product(), lease=lease)
    bench.expire_leases(other)
    claim(other)
    assert engine.load(deliveries, token=lease.token) == []


def test_an_empty_queue_has_nothing_to_do(bench: Bench) -> None:
    queue = bench.queue()
    assert not queue.todo()
    assert queue.due() == Due(count=0, oldest_due_at=None, in_flight=0)


def test_it_is_said_what_is_to_be_done(bench: Bench) -> None:
    bench.enqueue(bench.product())
    queue = bench.queue()
    assert queue.todo().due
    (claimed,) = claim(queue)
    assert not queue.todo()
    bench.clock.advance(seconds=LEASE_SECONDS)
    assert queue.todo().reap
    queue.settle([settlement_of(claimed, Outcome.REFUSED, due_at=bench.now)])
    assert queue.todo().wake
    assert not queue.todo().due
    queue.wake()
    assert queue.todo().due


def test_it_is_said_how_much_is_due_and_since_when(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product)
    since = bench.now
    bench.clock.advance(minutes=1)
    bench.enqueue(product, 2)
    queue = bench.queue()
    assert queue.due() == Due(count=3, oldest_due_at=since, in_flight=0)
    claim(queue, 1)
    assert queue.due() == Due(count=2, oldest_due_at=since + 60_000, in_flight=1)
    bench.expire_leases(queue)
    assert queue.due() == Due(count=3, oldest_due_at=since, in_flight=0)


def test_a_statement_wakes_no_more_than_a_batch(bench: Bench) -> None:
    queue = bench.queue()
    bench.enqueue(bench.product(), BATCH + 1)
    claimed = claim(queue, 2 * BATCH, per_product=2 * BATCH)
    queue.settle([settlement_of(each, Outcome.REFUSED) for each in claimed])
    assert [queue.wake() for _ in range(3)] == [BATCH, 1, 0]
