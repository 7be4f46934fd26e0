"""Retention: what is settled and old goes; what is pending stays, and a worker is not disturbed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from leanbe_emitter.outbox import redeliver
from leanbe_emitter.storage.queries.retention import Pruned, count_old, prune
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import EventRow, ProductRow
from tests.support.concurrency import call_at_once
from tests.support.engine_setup import ALL, Bench, claim, settlement_of

MONTH = timedelta(days=30)


def deliver(bench: Bench) -> None:
    """Settle all that is due as delivered."""
    queue = bench.queue()
    while claimed := claim(queue):
        queue.settle([settlement_of(each, due_at=bench.now) for each in claimed])


def prune_older(bench: Bench, *, batch: int = 3) -> Pruned:
    """Prune, and check that a dry run says the same beforehand."""
    before = bench.clock.now() - MONTH
    with bench.database.transaction() as session:
        told = count_old(session, before=before)
    pruned = prune(bench.database, before=before, batch=batch)
    assert told == replace(pruned, journal_entries=0)
    return pruned


def test_deliveries_settled_long_ago_go_with_all_their_records(bench: Bench) -> None:
    bench.enqueue(bench.product(), 10)
    deliver(bench)
    bench.journal()
    bench.clock.advance(hours=24 * 31)
    assert prune_older(bench) == Pruned(events=10, deliveries=10, attempts=10, journal_entries=20)
    assert [bench.rows(each) for each in ("events", "deliveries", "attempts", "journal")] == [0] * 4
    assert prune_older(bench) == Pruned()


def test_younger_deliveries_stay(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product, 2)
    deliver(bench)
    bench.clock.advance(hours=24 * 30)
    bench.enqueue(product, 2)
    deliver(bench)
    bench.journal()
    bench.clock.advance(seconds=1)
    assert prune_older(bench) == Pruned(events=2, deliveries=2, attempts=2, journal_entries=4)
    assert bench.rows("deliveries") == 2
    assert len(bench.journal()) == 4


def test_a_delivery_settled_lately_stays_however_old_it_is(bench: Bench) -> None:
    bench.enqueue(bench.product())
    bench.clock.advance(hours=24 * 40)
    deliver(bench)
    assert prune_older(bench) == Pruned()


@pytest.mark.parametrize("state", [state for state in DeliveryState if not state.is_end])
def test_a_pending_delivery_stays_with_its_event_and_its_records(
    bench: Bench, state: DeliveryState
) -> None:
    (delivery,) = bench.enqueue(bench.product())
    bring_to(bench, state)
    assert bench.state(delivery) is state
    bench.clock.advance(hours=24 * 400)
    entries = len(bench.journal())
    assert prune_older(bench) == Pruned()
    assert (bench.rows("events"), len(bench.journal())) == (1, entries)


def bring_to(bench: Bench, state: DeliveryState) -> None:
    """Bring the only delivery to a state."""
    queue = bench.queue()
    if state is DeliveryState.NEW:
        return
    claimed = claim(queue)
    if state is DeliveryState.SUSPECT:
        bench.expire_leases(queue)
    elif state in {DeliveryState.WAITING, DeliveryState.READY}:
        queue.settle([settlement_of(each, state=DeliveryState.WAITING) for each in claimed])
    if state is DeliveryState.READY:
        queue.wake()


def test_an_event_that_nothing_was_ever_owed_for_goes_too(bench: Bench) -> None:
    bench.enqueue(bench.product(url=None), 2)
    bench.journal()
    bench.clock.advance(hours=24 * 31)
    assert prune_older(bench) == Pruned(events=2, journal_entries=2)


def test_an_event_with_a_new_delivery_stays_without_its_old_one(bench: Bench) -> None:
    (old,) = bench.enqueue(bench.product())
    deliver(bench)
    bench.clock.advance(hours=24 * 31)
    with bench.database.transaction() as session:
        event = session.scalars(select(EventRow)).one()
        new = redeliver(session, event, now=bench.clock.now(), ids=bench.ids)
    assert prune_older(bench) == Pruned(deliveries=1, attempts=1)
    assert bench.state(new) is DeliveryState.NEW
    assert old != new


def test_the_records_of_a_deleted_product_go_with_the_others(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product, 2)
    deliver(bench)
    with bench.database.transaction() as session:
        session.delete(session.get_one(ProductRow, product))
    bench.journal()
    assert prune_older(bench).journal_entries == 4


def test_it_tells_how_far_it_is(bench: Bench) -> None:
    bench.enqueue(bench.product(), 5)
    deliver(bench)
    bench.clock.advance(hours=24 * 31)
    told: list[Pruned] = []
    before = bench.clock.now() - MONTH
    whole = prune(bench.database, before=before, batch=2, on_batch=told.append)
    assert [each.deliveries for each in told[:3]] == [2, 4, 5]
    assert told[-1] == whole


def test_a_worker_goes_on_beside_it(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product, 200)
    deliver(bench)
    bench.clock.advance(hours=24 * 31)
    young = bench.enqueue(product, 200)

    def work() -> None:
        queue = bench.queue()
        while claimed := claim(queue, 10):
            queue.settle([settlement_of(each, due_at=bench.now) for each in claimed])

    call_at_once(work, lambda: prune_older(bench, batch=20))
    prune_older(bench, batch=ALL)
    assert {bench.state(each) for each in young} == {DeliveryState.DELIVERED}
    assert bench.rows("deliveries") == bench.rows("attempts") == bench.rows("events") == 200


def test_a_redelivery_that_is_being_made_keeps_its_event(postgresql_bench: Bench) -> None:
    """Its transaction has not committed: to delete the event would take the new delivery along."""
    bench = postgresql_bench
    bench.enqueue(bench.product(), 2)
    deliver(bench)
    bench.clock.advance(hours=24 * 31)
    with bench.database.transaction() as session:
        event = session.scalars(select(EventRow).limit(1)).one()
        new = redeliver(session, event, now=bench.clock.now(), ids=bench.ids)
        # A dry run does not see what is not committed.
        assert prune(bench.database, before=bench.clock.now() - MONTH).events == 1
    assert bench.state(new) is DeliveryState.NEW


def test_a_reader_of_the_journal_continues_after_pruned_entries(bench: Bench) -> None:
    product = bench.product()
    bench.enqueue(product, 3)
    deliver(bench)
    cursor = bench.journal()[-1].cursor
    bench.clock.advance(hours=24 * 31)
    assert prune_older(bench).journal_entries == 6
    bench.enqueue(product)
    assert len(bench.journal(cursor)) == 1
