"""The queue's leases: what a lease is worth when it runs out, is renewed or is given up."""

from leanbe_emitter.delivery.queue.queue import LEASES_LOST_LIMIT
from leanbe_emitter.storage.schema.states import (
    DUE,
    DeliveryState,
    DeliveryStatus,
    JournalKind,
    Outcome,
)
from tests.support.engine_setup import LEASE_SECONDS, URL, Bench, claim, ids_of, settlement_of


def test_a_lost_lease_leaves_an_attempt_of_unknown_outcome(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    claim(queue)
    bench.clock.advance(seconds=LEASE_SECONDS - 0.001)
    assert queue.reap() == []
    bench.clock.advance(seconds=0.001)
    (settlement,) = bench.queue().reap()
    assert (settlement.delivery_id, settlement.number) == (delivery, 1)
    (attempt,) = bench.attempts(delivery)
    assert (attempt.number, attempt.outcome, attempt.url) == (1, Outcome.UNKNOWN, URL)
    assert "vanished" in (attempt.error or "")
    assert bench.journal()[-1].number == 1


def test_a_renewed_lease_tells_when_it_began_to_the_second(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue, begun = bench.queue(), bench.now
    claimed = claim(queue)
    bench.clock.advance(seconds=LEASE_SECONDS / 2)
    queue.renew(claimed)
    bench.expire_leases(queue)
    (attempt,) = bench.attempts(delivery)
    assert attempt.started_at == begun // 1000 * 1000
    assert attempt.duration_us == (bench.now - attempt.started_at) * 1000


def test_it_is_due_again_at_once_and_the_schedule_does_not_count_it(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    due_at = bench.now
    queue = bench.queue()
    claim(queue)
    bench.expire_leases(queue)
    assert bench.delivery(delivery).due_at == due_at
    (again,) = claim(queue)
    assert (again.number, again.attempts_counted, again.leases_lost) == (2, 0, 1)


def test_three_losses_in_a_row_exhaust_it(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    for _ in range(LEASES_LOST_LIMIT):
        assert ids_of(claim(queue)) == [delivery]
        bench.expire_leases(queue)
    assert bench.state(delivery) is DeliveryState.EXHAUSTED
    assert [each.outcome for each in bench.attempts(delivery)] == [Outcome.UNKNOWN] * 3
    assert bench.journal()[-1].status == DeliveryStatus.EXHAUSTED
    assert claim(queue) == []


def test_an_attempt_that_ends_makes_up_for_losses(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    for _ in range(LEASES_LOST_LIMIT - 1):
        claim(queue)
        bench.expire_leases(queue)
    queue.settle([settlement_of(each, Outcome.REFUSED) for each in claim(queue)])
    queue.wake()
    claim(queue)
    bench.expire_leases(queue)
    assert bench.delivery(delivery).leases_lost == 1
    assert bench.state(delivery) is DeliveryState.SUSPECT


def test_a_delivery_that_lost_its_lease_is_claimed_alone(bench: Bench) -> None:
    product = bench.product()
    suspects = bench.enqueue(product, 2)
    queue = bench.queue()
    claim(queue)
    bench.expire_leases(queue)
    fresh = bench.enqueue(product, 2)
    assert ids_of(claim(queue)) == suspects[:1]
    others = DUE - {DeliveryState.SUSPECT}
    beside = claim(queue, among=others)
    assert ids_of(beside) == fresh
    assert ids_of(claim(queue)) == suspects[1:]


def test_a_suspect_of_a_full_product_waits_as_others_do(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product)
    queue = bench.queue()
    claim(queue)
    bench.expire_leases(queue)
    assert claim(queue, per_product=2, held={product: 2}) == []


def test_neighbours_of_what_kills_its_worker_lose_nothing(bench: Bench) -> None:
    """The worker with the third in flight dies, with all that it has in flight."""
    deliveries = bench.enqueue(bench.product(), 8)
    poison = deliveries[2]
    queue = bench.queue()
    for _ in range(40):
        claimed = claim(queue, 4)
        if poison in ids_of(claimed):
            bench.expire_leases(queue)
        else:
            queue.settle([settlement_of(each) for each in claimed])
    assert bench.state(poison) is DeliveryState.EXHAUSTED
    others = [bench.state(each) for each in deliveries if each != poison]
    assert others == [DeliveryState.DELIVERED] * 7


def test_a_renewed_lease_does_not_run_out(bench: Bench) -> None:
    renewed, _ = bench.enqueue(bench.product(), 2)
    queue = bench.queue()
    first, second = claim(queue)
    bench.clock.advance(seconds=LEASE_SECONDS - 1)
    queue.renew([first])
    bench.clock.advance(seconds=1)
    assert [each.delivery_id for each in queue.reap()] == [second.delivery_id]
    assert bench.state(renewed) is DeliveryState.IN_FLIGHT
    assert queue.settle([settlement_of(first)]) == set()


def test_without_anything_held_there_is_nothing_to_renew(bench: Bench) -> None:
    bench.queue().renew([])


def test_a_lost_lease_of_a_cleared_webhook_ends_as_cancelled(bench: Bench) -> None:
    product = bench.product()
    (delivery,) = bench.enqueue(product)
    queue = bench.queue()
    claim(queue)
    bench.clear(product)
    bench.expire_leases(queue)
    assert bench.state(delivery) is DeliveryState.CANCELLED
    assert bench.attempts(delivery)[0].outcome is Outcome.UNKNOWN


def test_a_delivery_without_an_attempt_is_new_again(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    before = vars(bench.delivery(delivery))
    queue = bench.queue()
    queue.release(claim(queue))
    after = vars(bench.delivery(delivery))
    assert {**after, "_sa_instance_state": 0} == {**before, "_sa_instance_state": 0}
    assert bench.rows("attempts") == 0
    (again,) = claim(queue)
    assert again.number == 1


def test_a_retry_is_ready_again(bench: Bench) -> None:
    (delivery,) = bench.enqueue_retries(bench.product(), 1)
    queue = bench.queue()
    queue.release(claim(queue))
    row = bench.delivery(delivery)
    assert (row.state, row.attempts_started) == (DeliveryState.READY, 1)


def test_a_suspect_is_one_again(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    claim(queue)
    bench.expire_leases(queue)
    queue.release(claim(queue))
    row = bench.delivery(delivery)
    assert (row.state, row.leases_lost) == (DeliveryState.SUSPECT, 1)
    assert row.attempts_started == 1


def test_a_delivery_whose_url_was_removed_is_cancelled(bench: Bench) -> None:
    product = bench.product()
    (delivery,) = bench.enqueue(product)
    queue = bench.queue()
    claimed = claim(queue)
    bench.clear(product)
    queue.release(claimed)
    row = bench.delivery(delivery)
    assert (row.state, row.attempts_started) == (DeliveryState.CANCELLED, 0)
    entry = bench.journal()[-1]
    assert (entry.kind, entry.status) == (JournalKind.SETTLED, DeliveryStatus.CANCELLED)


def test_nothing_to_hand_back_is_nothing(bench: Bench) -> None:
    bench.queue().release([])


def test_workers_that_come_after_a_kill_begin_at_different_suspects(bench: Bench) -> None:
    for number in range(20):
        bench.enqueue(bench.product(f"P{number}"))
    claim(bench.queue())
    bench.expire_leases(bench.queue())
    held = [claim(bench.queue()) for _ in range(4)]
    products = [each.product_id for (each,) in held]
    assert products != sorted(products)
