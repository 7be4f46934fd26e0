"""``leanbe.faults``: armed in order, fired in order, as often as asked, on record with attempts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leanbe_emitter import (
    Attempt,
    Conflict,
    FaultNeedsWire,
    FaultNeverFired,
    InvalidSignature,
    InvalidValue,
    Leanbe,
    ManualClock,
    NotFound,
    Product,
    ReceivedRequest,
    verify,
)
from tests.answering import Answering

START = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "whsec_test"
URL = "http://a.test/"


class Inbox:
    """A receiver that verifies, and keeps what it got."""

    def __init__(self) -> None:
        self.requests: list[ReceivedRequest] = []

    def __call__(self, request: ReceivedRequest) -> int:
        self.requests.append(request)
        try:
            verify(request.body, SECRET)
        except InvalidSignature:
            return 401
        return 204

    @property
    def bodies(self) -> list[bytes]:
        return [each.body for each in self.requests]


@pytest.fixture
def leanbe(db: str) -> Iterator[Leanbe]:
    with Leanbe(db, clock=ManualClock(START), seed=1) as leanbe:
        yield leanbe


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def acme(leanbe: Leanbe, inbox: Inbox) -> Product:
    return leanbe.products.create("Acme", webhook=inbox, secret=SECRET)


def tried(leanbe: Leanbe, event: str | None = None) -> list[tuple[Any, ...]]:
    """Return outcome, status and fault of each attempt of the last delivery."""
    attempts = leanbe.deliveries.last(event).attempts
    return [(each.outcome.value, each.answer_status, each.fault) for each in attempts]


def last(leanbe: Leanbe) -> Attempt:
    return leanbe.deliveries.last().attempts[-1]


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
    assert tried(leanbe) == [(*came_to, f"receiver_fails:{how}")]
    assert error in str(last(leanbe).error)
    assert "the receiver was not called" in str(last(leanbe).error)


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
    leanbe: Leanbe, acme: Product, inbox: Inbox, how: str, came_to: tuple[str, int | None]
) -> None:
    leanbe.faults.receiver_fails_after_call(how=how)
    leanbe.trigger("idea.created", product=acme)
    leanbe.clock.advance(hours=1)
    assert tried(leanbe) == [
        (*came_to, f"receiver_fails_after_call:{how}"),
        ("delivered", 204, None),
    ]
    assert "the receiver answered 204" in str(leanbe.deliveries.last().attempts[0].error)
    assert inbox.bodies == [leanbe.deliveries.last().event.body] * 2


def test_a_receiver_that_is_not_called_sees_nothing(
    leanbe: Leanbe, acme: Product, inbox: Inbox
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
def test_what_must_not_verify_is_refused_and_then_delivered_as_it_is(
    leanbe: Leanbe, acme: Product, inbox: Inbox, kind: str
) -> None:
    leanbe.faults.add(kind)
    leanbe.trigger("idea.created", product=acme)
    leanbe.clock.advance(hours=1)
    assert tried(leanbe) == [("refused", 401, kind), ("delivered", 204, None)]
    delivery = leanbe.deliveries.last()
    assert inbox.bodies == [each.request_body for each in delivery.attempts]
    assert (inbox.bodies[0] != delivery.event.body, inbox.bodies[1]) == (True, delivery.event.body)
    length = dict(delivery.attempts[0].request_headers)["Content-Length"]
    assert int(length) == len(inbox.bodies[0])


@pytest.mark.parametrize("kind", ["stale_body", "unknown_event", "unknown_field"])
def test_what_is_odd_and_rightly_signed_verifies(
    leanbe: Leanbe, acme: Product, inbox: Inbox, kind: str
) -> None:
    leanbe.faults.add(kind)
    leanbe.trigger("idea.created", product=acme)
    assert [each[0] for each in tried(leanbe)] == ["delivered"]
    (body,) = inbox.bodies
    assert body == last(leanbe).request_body != leanbe.deliveries.last().event.body
    assert str(last(leanbe).fault).startswith(kind)


def test_the_products_own_headers_go_along(leanbe: Leanbe, inbox: Inbox) -> None:
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
    leanbe: Leanbe, acme: Product, inbox: Inbox
) -> None:
    leanbe.faults.delivered_twice()
    delivery = leanbe.trigger("idea.created", product=acme)
    assert inbox.bodies == [delivery.event.body] * 2
    assert tried(leanbe) == [
        ("delivered", 204, "delivered_twice"),
        ("delivered", 204, "delivered_twice:again"),
    ]
    assert delivery.delivered
    assert leanbe.deliver() == []


def test_what_is_sent_twice_is_retried_as_ever_if_it_fails(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.add("wrong_secret+delivered_twice")
    leanbe.trigger("idea.created", product=acme)
    assert tried(leanbe) == [
        ("refused", 401, "wrong_secret+delivered_twice"),
        ("refused", 401, "wrong_secret+delivered_twice:again"),
    ]
    leanbe.clock.advance(hours=1)
    assert tried(leanbe)[2:] == [("delivered", 204, None)]


def test_a_late_delivery_waits_by_the_clock(leanbe: Leanbe, acme: Product, inbox: Inbox) -> None:
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
    leanbe: Leanbe, acme: Product, inbox: Inbox
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


def test_where_nothing_overtakes_it_is_late_at_the_most(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.delivered_out_of_order(how="30s")
    leanbe.trigger("idea.created", product=acme)
    assert leanbe.deliver() == []
    leanbe.clock.advance(minutes=1)
    assert tried(leanbe) == [("delivered", 204, "delivered_out_of_order:30s")]
    assert last(leanbe).started_at == START + timedelta(seconds=30)


def test_a_late_one_is_not_hurried_by_one_that_is_overtaken(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.delivered_late(event="customer.created")
    leanbe.faults.delivered_out_of_order(event="idea.created")
    for event in ("customer.created", "idea.created", "idea.updated"):
        leanbe.trigger(event, product=acme)
    leanbe.deliver()
    assert leanbe.deliveries.last("customer.created").attempts == ()
    assert tried(leanbe, "idea.created")[0][2] == "delivered_out_of_order:overtaken"


def test_nothing_overtakes_under_strict_ordering(leanbe: Leanbe, inbox: Inbox) -> None:
    acme = leanbe.products.create(
        "Acme", webhook=inbox, secret=SECRET, assume={"ordering": "strict"}
    )
    leanbe.faults.delivered_out_of_order()
    leanbe.trigger("idea.created", product=acme)
    assert tried(leanbe) == [("delivered", 204, None)]
    with pytest.raises(FaultNeverFired):
        leanbe.faults.require_fired()


def test_what_is_not_delivered_is_on_record_and_cancelled(
    leanbe: Leanbe, acme: Product, inbox: Inbox
) -> None:
    leanbe.faults.not_delivered()
    delivery = leanbe.trigger("idea.created", product=acme)
    assert (delivery.status, inbox.requests) == ("cancelled", [])
    assert tried(leanbe) == [("unreachable", None, "not_delivered")]
    leanbe.clock.advance(hours=1)
    assert inbox.requests == []
    leanbe.refute_delivered("idea.created")


def test_faults_fire_in_order_each_as_often_as_asked(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.receiver_fails(how="refused")
    leanbe.faults.receiver_fails(how="status:500", times=2)
    leanbe.faults.receiver_fails(how="reset")
    leanbe.trigger("idea.created", product=acme)
    leanbe.clock.advance(hours=1)
    assert [each[:2] for each in tried(leanbe)] == [
        ("unreachable", None),
        ("refused", 500),
        ("refused", 500),
        ("unknown", None),
        ("delivered", 204),
    ]


def test_a_fault_is_meant_for_events_and_a_product(leanbe: Leanbe, acme: Product) -> None:
    other = leanbe.products.create("Other", webhook=lambda _: 204, path="/other", secret=SECRET)
    leanbe.faults.receiver_fails(event="idea.*", product=other, times=9)
    for product, event in ((acme, "idea.created"), (other, "okr.created"), (other, "idea.deleted")):
        leanbe.trigger(event, product=product)
    faults = [each.attempts[0].fault for each in leanbe.deliveries.list()]
    assert faults == ["receiver_fails:timeout", None, None]
    (fault,) = leanbe.faults.list()
    assert (fault.fired, fault.times, fault.event) == (1, 9, "idea.*")
    assert fault.product_id == other.id


def test_a_fault_is_shown(leanbe: Leanbe, acme: Product) -> None:
    armed = leanbe.faults.receiver_fails(times=2, how="status:503", event="idea.*", product=acme)
    both = leanbe.faults.add("wrong-secret+delivered-late:1h", must_fire=False)
    assert leanbe.faults.list() == [armed, both]
    assert armed.document() == {
        "_id": armed.id,
        "kind": "receiver_fails",
        "how": "status:503",
        "times": 2,
        "fired": 0,
        "event": "idea.*",
        "product": acme.id,
        "mustFire": True,
    }
    assert (both.kind, both.how) == ("wrong_secret+delivered_late:1h", None)
    assert str(both) == "wrong_secret+delivered_late:1h, fired 0 of 1 times"


def test_cleared_faults_fire_no_more_and_hold_nothing_back(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.delivered_late(how="30d")
    leanbe.faults.receiver_fails(times=9)
    leanbe.trigger("idea.created", product=acme)
    leanbe.faults.clear()
    assert leanbe.faults.list() == []
    assert [each.outcome for each in leanbe.deliver()] == ["delivered"]
    assert tried(leanbe) == [("delivered", 204, None)]


def test_a_reset_clears_faults(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.receiver_fails(product=acme)
    leanbe.reset()
    assert leanbe.faults.list() == []
    leanbe.faults.require_fired()


def test_a_product_takes_its_faults_along(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.receiver_fails(product=acme)
    leanbe.faults.delivered_late()
    leanbe.trigger("idea.created", product=leanbe.products.create("B", webhook=lambda _: 204))
    leanbe.products.delete("B")
    leanbe.products.delete(acme)
    assert [each.kind for each in leanbe.faults.list()] == ["delivered_late"]


def test_in_a_transaction_that_fails_nothing_is_armed(leanbe: Leanbe) -> None:
    def arm_and_fail() -> None:
        with leanbe.transaction():
            leanbe.faults.receiver_fails()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        arm_and_fail()
    assert leanbe.faults.list() == []


@pytest.mark.parametrize(
    ("which", "error"),
    [
        ({"times": 0}, InvalidValue),
        ({"times": 2**31}, InvalidValue),
        ({"event": "ideas.*"}, InvalidValue),
        ({"product": "Acme"}, NotFound),
    ],
)
def test_what_it_cannot_be_meant_for_is_refused(
    leanbe: Leanbe, which: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        leanbe.faults.receiver_fails(**which)
    assert leanbe.faults.list() == []


def test_a_fault_that_never_fired_is_named(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.receiver_fails(times=2)
    leanbe.faults.wrong_secret(event="okr.*")
    leanbe.faults.unknown_field(event="okr.*", must_fire=False)
    leanbe.trigger("idea.created", product=acme)
    with pytest.raises(FaultNeverFired, match=r"A fault never fired: wrong_secret for okr\.\*"):
        leanbe.faults.require_fired()


def test_faults_are_every_handles_and_must_fire_for_the_one_that_armed_them(
    database_url: str,
) -> None:
    with Leanbe(database_url) as leanbe, Leanbe(database_url) as other:
        leanbe.faults.unknown_field(event="okr.*", must_fire=False)
        other.faults.receiver_fails()
        leanbe.faults.require_fired()
        with pytest.raises(FaultNeverFired):
            other.faults.require_fired()
        leanbe.products.create("Acme", webhook=lambda _: 204)
        assert leanbe.trigger("idea.created").outcome == "unknown"
        other.faults.require_fired()


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("kind", ["slow_body", "connection_closed"])
def test_a_fault_of_the_wire_is_refused_for_a_receiver_in_process(
    leanbe: Leanbe, kind: str
) -> None:
    with pytest.raises(FaultNeedsWire, match="cannot be done to http://testserver/"):
        leanbe.faults.add(kind)
    assert leanbe.faults.list() == []


def test_a_fault_of_the_wire_that_meets_such_a_receiver_later_says_so(
    leanbe: Leanbe, inbox: Inbox
) -> None:
    leanbe.faults.slow_body()
    acme = leanbe.products.create("Acme", webhook=inbox, secret=SECRET)
    with pytest.raises(FaultNeedsWire, match="http://testserver/") as refused:
        leanbe.trigger("idea.created", product=acme)
    assert isinstance(refused.value, Conflict)
    assert tried(leanbe) == [("unreachable", None, "slow_body:1s")]
    assert inbox.requests == []
    leanbe.clock.advance(hours=1)
    assert tried(leanbe)[1:] == [("delivered", 204, None)]


def test_a_fault_of_the_wire_that_meets_a_transport_of_the_users_says_so(db: str) -> None:
    transport = Answering()
    with Leanbe(db, transport=transport) as leanbe:
        leanbe.products.create("Acme", webhook_url=URL)
        leanbe.faults.connection_closed()
        with pytest.raises(FaultNeedsWire, match=URL):
            leanbe.trigger("idea.created")
    assert transport.requests == []


def test_a_delivery_explains_its_fault(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.tampered_payload()
    delivery = leanbe.trigger("idea.created", product=acme)
    summary = delivery.explain().summary
    assert summary.startswith("The signature does not fit the payload. The fault tampered_payload")
    assert "applied on purpose" in summary
    delivery.redeliver()
    assert leanbe.deliveries.last().explain().summary == "The body verifies with this secret."


def test_a_snapshot_of_a_run_tells_its_faults(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.receiver_fails()
    leanbe.trigger("idea.created", product=acme)
    (snapshot,) = leanbe.deliveries.snapshot()
    assert snapshot["attempts"][0]["fault"] == "receiver_fails:timeout"


def test_faults_change_no_id_and_no_secret(db: str) -> None:
    del db
    made = []
    for faulty in (True, False):
        with Leanbe(clock=ManualClock(START), seed=1) as leanbe:
            if faulty:
                leanbe.faults.receiver_fails(must_fire=False)
            product = leanbe.products.create("Acme", webhook_url=URL)
            made.append((product.id, product.webhook.secret, product.ideas.create(title="A").id))
    assert made[0] == made[1]


def test_what_was_not_called_cannot_have_arrived(leanbe: Leanbe, acme: Product) -> None:
    acme.ideas.create(title="Dark mode")
    leanbe.faults.receiver_fails()
    leanbe.deliver()
    leanbe.refute_delivered("idea.created")
    leanbe.faults.receiver_fails_after_call()
    leanbe.clock.advance(seconds=5)
    with pytest.raises(AssertionError, match="by the fault receiver_fails_after_call:timeout"):
        leanbe.refute_delivered("idea.created")
