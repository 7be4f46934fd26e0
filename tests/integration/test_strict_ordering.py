"""``ordering = strict``: one in flight per product; what fails holds those behind it."""

from leanbe_emitter import Leanbe, Product, TriggerRequest
from leanbe_emitter.delivery.queue.postgresql import Postgresql
from leanbe_emitter.delivery.queue.strict_ordering import firsts_of
from leanbe_emitter.outbox import redeliver
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow
from tests.support.concurrency import call_at_once
from tests.support.engine_setup import Bench, claim, ids_of, settlement_of
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.recorded_statements import record_statements

#: What a claim sends at the most that finds nothing but strict products which are held back.
MOST = 10


def test_one_is_in_flight_across_all_workers(bench: Bench) -> None:
    first, second, _ = bench.enqueue(bench.product(ordering="strict"), 3)
    one, other = bench.queue(), bench.queue()
    (claimed,) = claim(one)
    assert claimed.delivery_id == first
    assert claim(other) == claim(one) == []
    one.settle([settlement_of(claimed)])
    assert ids_of(claim(other)) == [second]


def test_a_failing_delivery_holds_those_behind_it_until_it_is_delivered(bench: Bench) -> None:
    first, second = bench.enqueue(bench.product(ordering="strict"), 2)
    queue = bench.queue()
    queue.settle(
        [settlement_of(each, Outcome.REFUSED, due_at=bench.now + 5) for each in claim(queue)]
    )
    assert claim(queue) == []
    bench.clock.advance(seconds=5)
    queue.wake()
    (again,) = claim(queue)
    assert again.delivery_id == first
    queue.settle([settlement_of(again)])
    assert ids_of(claim(queue)) == [second]


def test_an_exhausted_delivery_holds_nothing(bench: Bench) -> None:
    _, second = bench.enqueue(bench.product(ordering="strict"), 2)
    queue = bench.queue()
    queue.settle([settlement_of(each, state=DeliveryState.EXHAUSTED) for each in claim(queue)])
    assert ids_of(claim(queue)) == [second]


def test_a_lost_lease_holds_those_behind_it_too(bench: Bench) -> None:
    first, _ = bench.enqueue(bench.product(ordering="strict"), 2)
    queue = bench.queue()
    claim(queue)
    bench.expire_leases(queue)
    assert ids_of(claim(queue)) == [first]
    assert claim(queue) == []


def test_other_products_are_not_held(bench: Bench) -> None:
    (strict, _) = bench.enqueue(bench.product("Strict", ordering="strict"), 2)
    free = bench.enqueue(bench.product("Free"), 3)
    assert set(ids_of(claim(bench.queue()))) == {strict, *free}


def test_held_deliveries_do_not_hide_due_ones_behind_them(bench: Bench) -> None:
    queue = bench.queue()
    for name in "ABC":
        bench.enqueue(bench.product(name, ordering="strict"), 2)
    queue.settle(
        [settlement_of(each, Outcome.REFUSED, due_at=bench.now + 5) for each in claim(queue)]
    )
    free = bench.enqueue(bench.product("D"), 2)
    assert [ids_of(claim(queue, 1)) for _ in range(3)] == [free[:1], free[1:], []]


def test_products_that_are_held_back_cost_a_claim_the_same_statements_however_many(
    bench: Bench,
) -> None:
    sent = [_statements_of_a_claim(bench, held_back=count) for count in (1, 20)]
    assert sent[0] == sent[1] <= MOST


def _statements_of_a_claim(bench: Bench, *, held_back: int) -> int:
    queue = bench.queue()
    for number in range(held_back):
        bench.enqueue(bench.product(f"{held_back} {number}", ordering="strict"), 2)
    queue.settle(
        [settlement_of(each, Outcome.REFUSED, due_at=bench.now + 5) for each in claim(queue)]
    )
    with record_statements(bench.database) as sent:
        assert claim(queue) == []
    return len(sent)


def test_the_first_is_taken_though_a_retry_stands_behind_it(bench: Bench) -> None:
    product = bench.product(ordering="strict")
    first, second = bench.enqueue(product, 2)
    bench.set_state(second, DeliveryState.READY)
    assert ids_of(claim(bench.queue())) == [first]


def test_a_redelivered_event_waits_for_the_delivery_in_flight(bench: Bench) -> None:
    (old, new) = bench.enqueue(bench.product(ordering="strict"), 2)
    queue = bench.queue()
    queue.settle([settlement_of(each) for each in claim(queue)])
    (in_flight,) = claim(queue)
    assert in_flight.delivery_id == new
    with bench.database.transaction() as session:
        event = session.get_one(EventRow, session.get_one(DeliveryRow, old).event_id)
        again = redeliver(session, event, now=bench.clock.now(), ids=bench.ids)
    assert claim(queue) == []
    assert queue.claim_one(again) is None
    queue.settle([settlement_of(in_flight)])
    assert queue.claim_one(again) is not None


def test_workers_that_claim_at_the_same_moment_take_one_together(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(ordering="strict"), 20)
    begun: list[str] = []

    def work() -> None:
        queue = bench.queue()
        for _ in range(500):
            if len(begun) >= len(deliveries):
                return
            for each in claim(queue):
                begun.append(each.delivery_id)
                assert bench_in_flight(bench) == 1
                queue.settle([settlement_of(each)])

    call_at_once(work, work, work)
    assert begun == deliveries


def test_while_one_claim_looks_at_a_product_no_other_does(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    product = bench.product(ordering="strict")
    first, _ = bench.enqueue(product, 2)
    with bench.database.transaction() as session:
        assert firsts_of(session, [product], statements=Postgresql()) == {product: first}
        assert claim(bench.queue()) == []
    assert ids_of(claim(bench.queue())) == [first]


def bench_in_flight(bench: Bench) -> int:
    return bench.queue().due().in_flight


def test_a_trigger_delivers_what_nothing_holds_back(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.assumptions.set("ordering", "strict", product=product)
    receiver.statuses.append(500)
    leanbe.trigger_all(TriggerRequest(events=["idea.created"], product=product))
    (held,) = leanbe.trigger_all(TriggerRequest(events=["idea.updated"], product=product))
    assert held.delivery is not None
    assert (held.delivery.status, held.delivery.attempts) == ("pending", ())
    assert leanbe.deliver() == []
    assert len(receiver.requests) == 1
