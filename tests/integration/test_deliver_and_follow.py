"""``deliver`` and ``follow``: attempts on the caller's thread."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from leanbe_emitter import Leanbe, ManualClock, NotFound, Product, TriggerRequest
from tests.support.concurrency import call_at_once
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.waiting import PATIENCE_SECONDS


def record(leanbe: Leanbe, *events: str, product: str | None = None) -> None:
    """Record events without delivering them."""
    leanbe.trigger_all(TriggerRequest(events=events, product=product), deliver=False)


def test_everything_that_is_due_is_delivered_once_in_the_order_of_the_events(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    names = ["idea.created", "idea.updated", "idea.upVoted", "idea.deleted"]
    record(leanbe, *names)
    receiver.statuses.extend([204, 500, 204, 200])
    attempts = leanbe.deliver()
    assert [attempt.outcome for attempt in attempts] == [
        "delivered",
        "refused",
        "delivered",
        "delivered",
    ]
    assert [request.verified("whsec_test").event for request in receiver.requests] == names
    assert leanbe.deliver() == []
    assert leanbe.products.only() == product


def test_a_retry_is_made_when_the_clock_says_that_it_is_due(
    db: str, receiver: LoopbackReceiver
) -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    with Leanbe(db, clock=clock) as leanbe:
        leanbe.products.create("Acme", webhook_url=receiver.url)
        receiver.statuses.extend([500, 500])
        leanbe.trigger("idea.created")
        clock.advance(seconds=4.999)
        assert leanbe.deliver() == []
        clock.advance(seconds=0.001)
        (second,) = leanbe.deliver()
        assert (second.number, second.outcome) == (2, "refused")
        clock.advance(seconds=30)
        (third,) = leanbe.deliver()
        assert (third.number, third.outcome) == (3, "delivered")
        assert [each.number for each in leanbe.deliveries.last().attempts] == [1, 2, 3]
        assert len(set(receiver.bodies)) == 1


@pytest.mark.parametrize(
    "db",
    ["memory", *(pytest.param(each, marks=pytest.mark.prove) for each in ("sqlite", "postgresql"))],
    indirect=True,
)
def test_more_deliveries_than_a_statement_names_are_all_returned(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.trigger_all(
        TriggerRequest(events=["okr.deleted"], times=600, product=product), deliver=False
    )
    assert len(leanbe.deliver()) == 600 == len(set(receiver.bodies))


def test_following_ends_when_everything_is_settled(
    leanbe: Leanbe, receiver: LoopbackReceiver
) -> None:
    leanbe.products.create(
        "Acme", webhook_url=receiver.url, assume={"backoff": "1ms,20ms", "max_attempts": "3"}
    )
    receiver.statuses.extend([500, 204, 500, 500, 500])
    first, second = (
        leanbe.trigger_all(TriggerRequest(events=[name]), deliver=False)[0].delivery
        for name in ("idea.created", "idea.updated")
    )
    assert first is not None
    assert second is not None
    leanbe.follow([first])
    assert leanbe.deliveries.get(first).delivered
    assert leanbe.deliveries.get(second).attempts == ()
    leanbe.follow([first, second])
    assert leanbe.deliveries.get(second).status == "exhausted"
    assert [each.outcome for each in leanbe.deliveries.get(second).attempts] == ["refused"] * 3


def test_following_what_is_gone_ends_at_once(leanbe: Leanbe, product: Product) -> None:
    (triggered,) = leanbe.trigger_all(TriggerRequest(events=["idea.created"]), deliver=False)
    assert triggered.delivery is not None
    leanbe.products.delete(product)
    leanbe.follow([triggered.delivery])
    with pytest.raises(NotFound):
        leanbe.deliveries.get(triggered.delivery)


def test_deliveries_that_are_due_and_in_flight_are_counted(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    assert leanbe.due().count == leanbe.due().in_flight == 0
    assert leanbe.due().oldest_due_at is None
    record(leanbe, "idea.created", "idea.updated", product=product.id)
    assert leanbe.due().count == 2
    receiver.is_open.clear()
    with ThreadPoolExecutor(1) as thread:
        delivering = thread.submit(leanbe.deliver)
        assert receiver.busy.wait(PATIENCE_SECONDS)
        due = leanbe.due()
        receiver.is_open.set()
        assert len(delivering.result()) == 2
    assert (due.count, due.in_flight) == (1, 1)


def test_threads_that_share_a_handle_take_turns(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    def trigger_some() -> list[bool]:
        return [leanbe.trigger("idea.created", product=product).delivered for _ in range(10)]

    results = call_at_once(*[trigger_some] * 4)
    assert results == [[True] * 10] * 4
    assert len(receiver.requests) == 40
    assert sorted(each.event.sequence for each in leanbe.deliveries.list()) == list(range(1, 41))


def test_two_handles_that_deliver_at_once_deliver_everything_once(
    database_url: str, receiver: LoopbackReceiver
) -> None:
    with Leanbe(database_url) as one, Leanbe(database_url) as other:
        one.products.create("Acme", webhook_url=receiver.url)
        record(one, *["idea.created"] * 40)
        call_at_once(one.deliver, other.deliver)
        assert len(receiver.requests) == len(set(receiver.bodies)) == 40
        assert one.due().count == one.due().in_flight == 0


def test_a_slow_receiver_does_not_hold_up_who_only_records(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    receiver.is_open.clear()
    with ThreadPoolExecutor(1) as thread:
        triggering = thread.submit(leanbe.trigger, "idea.created", product=product)
        assert receiver.busy.wait(PATIENCE_SECONDS)
        record(leanbe, "idea.updated")
        assert leanbe.deliveries.last().event.name == "idea.updated"
        assert not triggering.done(), "recording has waited until it was"
        receiver.is_open.set()
        assert triggering.result().delivered
