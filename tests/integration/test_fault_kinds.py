"""The effect of each kind of fault on a receiver, and its record."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from leanbe_emitter import FaultNeverFired, Leanbe, ManualClock, Product, verify
from tests.support.fault_receiver import (
    SECRET,
    START,
    VerifyingReceiver,
    attempts_of_last,
    last_attempt,
)

pytestmark = pytest.mark.any_database


@pytest.fixture
def leanbe(stage: str) -> Iterator[Leanbe]:
    with Leanbe(stage, clock=ManualClock(START), seed=1) as leanbe:
        yield leanbe


@pytest.mark.parametrize(
    ("how", "came_to", "error"),
    [
        ("timeout", ("unknown", None), "no complete answer within 10 s"),
        ("refused", ("unreachable", None), "connection refused by testserver"),
        ("reset", ("unknown", None), "the connection to testserver was reset"),
        ("slow", ("unknown", 200), "no complete answer within 10 s"),
        ("status:503", ("refused", 503), "a fault"),
        ("status:599", ("refused", 599), "a fault"),
    ],
)
def test_a_receiver_fails_without_being_called(
    leanbe: Leanbe, acme: Product, how: str, came_to: tuple[str, int | None], error: str
) -> None:
    leanbe.faults.receiver_fails(how=how)
    leanbe.trigger("idea.created", product=acme)
    assert attempts_of_last(leanbe) == [(*came_to, f"receiver_fails:{how}")]
    assert error in str(last_attempt(leanbe).error)
    assert "the receiver was not called" in str(last_attempt(leanbe).error)


@pytest.mark.parametrize(
    ("how", "came_to"),
    [
        ("timeout", ("unknown", None)),
        ("reset", ("unknown", None)),
        ("slow", ("unknown", 204)),
        ("status:503", ("refused", 503)),
    ],
)
def test_a_receiver_fails_after_it_was_called_and_gets_the_event_again(
    leanbe: Leanbe,
    acme: Product,
    inbox: VerifyingReceiver,
    how: str,
    came_to: tuple[str, int | None],
) -> None:
    leanbe.faults.receiver_fails_after_call(how=how)
    leanbe.trigger("idea.created", product=acme)
    leanbe.clock.advance(hours=1)
    assert attempts_of_last(leanbe) == [
        (*came_to, f"receiver_fails_after_call:{how}"),
        ("delivered", 204, None),
    ]
    assert "the receiver answered 204" in str(leanbe.deliveries.last().attempts[0].error)
    assert inbox.bodies == [leanbe.deliveries.last().event.body] * 2


def test_a_receiver_that_is_not_called_sees_nothing(
    leanbe: Leanbe, acme: Product, inbox: VerifyingReceiver
) -> None:
    for how in ("timeout", "refused", "reset", "slow", "status:500"):
        leanbe.faults.receiver_fails(how=how)
        leanbe.trigger("idea.created", product=acme)
    assert inbox.requests == []


@pytest.mark.parametrize("how", ["timeout", "status:503"])
def test_failures_take_no_time(leanbe: Leanbe, acme: Product, how: str) -> None:
    leanbe.faults.receiver_fails(times=2, how=how)
    leanbe.trigger("idea.created", product=acme)
    leanbe.clock.advance(hours=1)
    attempts = leanbe.deliveries.last().attempts
    assert [(each.started_at - START).seconds for each in attempts] == [0, 5, 35]
    assert all(each.duration_ms < 1000 for each in attempts)


@pytest.mark.parametrize(
    "kind", ["tampered_payload", "wrong_secret", "missing_signature", "truncated_body"]
)
def test_a_forged_attempt_is_refused_and_the_next_one_delivers_the_event_unchanged(
    leanbe: Leanbe, acme: Product, inbox: VerifyingReceiver, kind: str
) -> None:
    leanbe.faults.add(kind)
    leanbe.trigger("idea.created", product=acme)
    leanbe.clock.advance(hours=1)
    assert attempts_of_last(leanbe) == [("refused", 401, kind), ("delivered", 204, None)]
    delivery = leanbe.deliveries.last()
    assert inbox.bodies == [each.request_body for each in delivery.attempts]
    assert (inbox.bodies[0] != delivery.event.body, inbox.bodies[1]) == (True, delivery.event.body)
    length = dict(delivery.attempts[0].request_headers)["Content-Length"]
    assert int(length) == len(inbox.bodies[0])


@pytest.mark.parametrize("kind", ["stale_body", "unknown_event", "unknown_field"])
def test_an_odd_body_with_the_right_signature_verifies(
    leanbe: Leanbe, acme: Product, inbox: VerifyingReceiver, kind: str
) -> None:
    leanbe.faults.add(kind)
    leanbe.trigger("idea.created", product=acme)
    assert [each[0] for each in attempts_of_last(leanbe)] == ["delivered"]
    (body,) = inbox.bodies
    assert body == last_attempt(leanbe).request_body != leanbe.deliveries.last().event.body
    assert str(last_attempt(leanbe).fault).startswith(kind)


def test_the_products_own_headers_go_along(leanbe: Leanbe, inbox: VerifyingReceiver) -> None:
    acme = leanbe.products.create(
        "Acme",
        webhook=inbox,
        secret=SECRET,
        headers=[("X-Team", "blue")],
        assume={"signature_location": "both"},
    )
    leanbe.faults.missing_signature()
    leanbe.trigger("idea.created", product=acme)
    leanbe.trigger("idea.created", product=acme)
    unsigned, signed = (dict(each.headers) for each in inbox.requests)
    names = {name.lower() for name in unsigned}
    assert "x-team" in names
    assert {name.lower() for name in signed} - names == {"x-leanbe-signature"}


def test_the_same_request_is_sent_twice_and_both_are_on_record(
    leanbe: Leanbe, acme: Product, inbox: VerifyingReceiver
) -> None:
    leanbe.faults.delivered_twice()
    delivery = leanbe.trigger("idea.created", product=acme)
    assert inbox.bodies == [delivery.event.body] * 2
    assert attempts_of_last(leanbe) == [
        ("delivered", 204, "delivered_twice"),
        ("delivered", 204, "delivered_twice:again"),
    ]
    assert delivery.delivered
    assert leanbe.deliver() == []


def test_a_delivery_that_is_sent_twice_and_fails_is_retried_as_usual(
    leanbe: Leanbe, acme: Product
) -> None:
    leanbe.faults.add("wrong_secret+delivered_twice")
    leanbe.trigger("idea.created", product=acme)
    assert attempts_of_last(leanbe) == [
        ("refused", 401, "wrong_secret+delivered_twice"),
        ("refused", 401, "wrong_secret+delivered_twice:again"),
    ]
    leanbe.clock.advance(hours=1)
    assert attempts_of_last(leanbe)[2:] == [("delivered", 204, None)]


def test_a_late_delivery_waits_by_the_clock(
    leanbe: Leanbe, acme: Product, inbox: VerifyingReceiver
) -> None:
    leanbe.faults.delivered_late(how="10m", event="idea.created")
    late = leanbe.trigger("idea.created", product=acme)
    leanbe.trigger("idea.updated", product=acme)
    assert (late.status, late.attempts) == ("pending", ())
    assert late.next_due_at == START + timedelta(minutes=10)
    leanbe.clock.advance(minutes=9)
    assert len(inbox.requests) == 1
    leanbe.clock.advance(minutes=1)
    (attempt,) = leanbe.deliveries.get(late).attempts
    assert (attempt.number, attempt.outcome, attempt.fault) == (
        1,
        "delivered",
        "delivered_late:10m",
    )
    assert attempt.started_at == START + timedelta(minutes=10)


def test_the_next_event_of_the_product_overtakes(
    leanbe: Leanbe, acme: Product, inbox: VerifyingReceiver
) -> None:
    other = leanbe.products.create("Other", webhook=inbox, path="/other", secret=SECRET)
    leanbe.faults.delivered_out_of_order(product=acme)
    with leanbe.transaction():
        acme.ideas.create(title="first")
        other.ideas.create(title="of another product")
        acme.ideas.create(title="second")
        acme.ideas.create(title="third")
    leanbe.deliver()
    titles = [verify(each, SECRET).payload["title"] for each in inbox.bodies]
    assert titles.index("second") < titles.index("first")
    assert sorted(titles) == ["first", "of another product", "second", "third"]
    faults = {
        each.event.payload["title"]: each.attempts[0].fault for each in leanbe.deliveries.list()
    }
    assert faults == {
        "first": "delivered_out_of_order:overtaken",
        "second": "delivered_out_of_order:overtakes",
        "third": None,
        "of another product": None,
    }
    leanbe.assert_delivered("idea.created", times=4)


def test_a_delivery_out_of_order_that_nothing_overtakes_is_only_late(
    leanbe: Leanbe, acme: Product
) -> None:
    leanbe.faults.delivered_out_of_order(how="30s")
    leanbe.trigger("idea.created", product=acme)
    assert leanbe.deliver() == []
    leanbe.clock.advance(minutes=1)
    assert attempts_of_last(leanbe) == [("delivered", 204, "delivered_out_of_order:30s")]
    assert last_attempt(leanbe).started_at == START + timedelta(seconds=30)


def test_a_late_one_is_not_hurried_by_one_that_is_overtaken(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.delivered_late(event="customer.created")
    leanbe.faults.delivered_out_of_order(event="idea.created")
    for event in ("customer.created", "idea.created", "idea.updated"):
        leanbe.trigger(event, product=acme)
    leanbe.deliver()
    assert leanbe.deliveries.last("customer.created").attempts == ()
    assert attempts_of_last(leanbe, "idea.created")[0][2] == "delivered_out_of_order:overtaken"


def test_nothing_overtakes_under_strict_ordering(leanbe: Leanbe, inbox: VerifyingReceiver) -> None:
    acme = leanbe.products.create(
        "Acme", webhook=inbox, secret=SECRET, assume={"ordering": "strict"}
    )
    leanbe.faults.delivered_out_of_order()
    leanbe.trigger("idea.created", product=acme)
    assert attempts_of_last(leanbe) == [("delivered", 204, None)]
    with pytest.raises(FaultNeverFired):
        leanbe.faults.require_fired()


def test_a_delivery_that_a_fault_holds_back_is_on_record_and_cancelled(
    leanbe: Leanbe, acme: Product, inbox: VerifyingReceiver
) -> None:
    leanbe.faults.not_delivered()
    delivery = leanbe.trigger("idea.created", product=acme)
    assert (delivery.status, inbox.requests) == ("cancelled", [])
    assert attempts_of_last(leanbe) == [("unreachable", None, "not_delivered")]
    leanbe.clock.advance(hours=1)
    assert inbox.requests == []
    leanbe.refute_delivered("idea.created")
