"""The queue's settlements: what became of a delivery, written by who holds it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from leanbe_emitter.storage.schema.states import DeliveryState, DeliveryStatus, JournalKind, Outcome
from tests.support.engine_setup import URL, Bench, claim, settlement_of


def test_an_attempt_ends_its_delivery_with_its_evidence(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    (claimed,) = claim(queue)
    assert queue.settle([settlement_of(claimed)]) == set()
    row = bench.delivery(delivery)
    assert (row.state, row.lease_token, row.lease_until) == ("delivered", None, None)
    assert (row.attempts_started, row.attempts_counted) == (1, 1)
    (attempt,) = bench.attempts(delivery)
    assert (attempt.number, attempt.outcome, attempt.url) == (1, Outcome.DELIVERED, URL)


def test_an_error_is_on_record_whatever_characters_it_quotes(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    (claimed,) = claim(queue)
    said = settlement_of(claimed).evidence._replace(error="the app raised KeyError: '\0 \ud800 é'")
    assert queue.settle([settlement_of(claimed)._replace(evidence=said)]) == set()
    (attempt,) = bench.attempts(delivery)
    assert attempt.error == "the app raised KeyError: '\ufffd \ufffd é'"


def test_a_retry_waits_for_its_time(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    (claimed,) = claim(queue)
    queue.settle([settlement_of(claimed, Outcome.REFUSED, due_at=bench.now + 5000)])
    assert bench.delivery(delivery).due_at == bench.now + 5000
    bench.clock.advance(seconds=4.999)
    assert (queue.wake(), claim(queue)) == (0, [])
    bench.clock.advance(seconds=0.001)
    assert queue.wake() == 1
    (again,) = claim(queue)
    assert (again.delivery_id, again.number, again.attempts_counted) == (delivery, 2, 1)


def test_a_late_worker_changes_nothing_and_is_told_so(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    late, other = bench.queue(), bench.queue()
    (lost,) = claim(late)
    bench.expire_leases(other)
    (claimed,) = claim(other)
    other.settle([settlement_of(claimed, Outcome.REFUSED)])
    before = bench.delivery(delivery).__dict__, bench.rows("attempts"), bench.rows("journal")
    assert late.settle([settlement_of(lost)]) == {delivery}
    late.renew([lost])
    late.release([lost])
    row = bench.delivery(delivery)
    assert row.state is DeliveryState.WAITING
    assert {**row.__dict__, "_sa_instance_state": None} == {**before[0], "_sa_instance_state": None}
    assert (bench.rows("attempts"), bench.rows("journal")) == before[1:]


def test_a_batch_settles_what_is_ours_whatever_was_lost(bench: Bench) -> None:
    bench.enqueue(bench.product(), 3)
    queue = bench.queue()
    one, two, three = claim(queue)
    queue.settle([settlement_of(two)])
    assert queue.settle([settlement_of(each) for each in (one, two, three)]) == {two.delivery_id}
    assert bench.state(one.delivery_id) is DeliveryState.DELIVERED
    assert bench.state(three.delivery_id) is DeliveryState.DELIVERED
    assert bench.rows("attempts") == 3


def test_nothing_to_settle_is_nothing(bench: Bench) -> None:
    assert bench.queue().settle([]) == set()


def test_a_delivery_that_was_deleted_meanwhile_is_a_lost_lease(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    (claimed,) = claim(queue)
    with bench.database.transaction() as session:
        session.execute(text("DELETE FROM deliveries"))
    assert queue.settle([settlement_of(claimed)]) == {delivery}


@pytest.mark.parametrize("state", [DeliveryState.WAITING, DeliveryState.READY])
def test_a_delivery_due_again_after_its_webhook_was_cleared_is_cancelled(
    bench: Bench, state: DeliveryState
) -> None:
    product = bench.product()
    (delivery,) = bench.enqueue(product)
    queue = bench.queue()
    (claimed,) = claim(queue)
    bench.clear(product)
    queue.settle([settlement_of(claimed, Outcome.UNKNOWN, state=state)])
    assert bench.state(delivery) is DeliveryState.CANCELLED
    assert len(bench.attempts(delivery)) == 1
    entry = bench.journal()[-1]
    assert (entry.kind, entry.status) == (JournalKind.ATTEMPT, DeliveryStatus.CANCELLED)


def test_a_delivered_delivery_stays_so_after_its_webhook_was_cleared(bench: Bench) -> None:
    product = bench.product()
    (delivery,) = bench.enqueue(product)
    queue = bench.queue()
    (claimed,) = claim(queue)
    bench.clear(product)
    queue.settle([settlement_of(claimed)])
    assert bench.state(delivery) is DeliveryState.DELIVERED


def test_the_journal_tells_of_attempts_and_of_what_they_settled(bench: Bench) -> None:
    (delivery,) = bench.enqueue(bench.product())
    queue = bench.queue()
    queue.settle([settlement_of(each, Outcome.REFUSED) for each in claim(queue)])
    queue.wake()
    queue.settle([settlement_of(each) for each in claim(queue)])
    _, *attempts = bench.journal()
    assert [(each.kind, each.delivery_id, each.number, each.status) for each in attempts] == [
        (JournalKind.ATTEMPT, delivery, 1, None),
        (JournalKind.ATTEMPT, delivery, 2, DeliveryStatus.DELIVERED),
    ]


ILLEGAL = [
    "UPDATE deliveries SET state = 'in_flight'",
    "UPDATE deliveries SET state = 'sleeping'",
    "UPDATE deliveries SET lease_token = id, lease_until = 1",
    "UPDATE deliveries SET state = 'in_flight', lease_token = id",
    "UPDATE deliveries SET lease_until = 1",
    "UPDATE webhooks SET secret = NULL",
    "UPDATE deliveries SET event_id = 'nothing'",
    "UPDATE events SET product_id = 'nothing'",
    "UPDATE events SET sequence = 1",
    "UPDATE attempts SET outcome = 'lost'",
    "INSERT INTO attempts SELECT * FROM attempts",
    "UPDATE journal SET entries = '[]'",
]


@pytest.mark.parametrize("statement", ILLEGAL)
def test_illegal_rows_are_refused_by_the_database(bench: Bench, statement: str) -> None:
    bench.enqueue(bench.product(), 2)
    queue = bench.queue()
    queue.settle([settlement_of(each, Outcome.REFUSED) for each in claim(queue)])

    def act() -> None:
        with bench.database.transaction() as session:
            session.execute(text(statement))

    with pytest.raises(IntegrityError):
        act()
