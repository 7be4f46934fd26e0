"""``leanbe.faults``: armed in order, fired in order, as often as asked, on record with attempts."""

from collections.abc import Iterator
from typing import Any

import pytest

from leanbe_emitter import (
    Conflict,
    FaultNeedsWire,
    FaultNeverFired,
    InvalidValue,
    Leanbe,
    ManualClock,
    NotFound,
    Product,
)
from tests.support.fault_receiver import SECRET, START, VerifyingReceiver, attempts_of_last
from tests.support.scripted_transport import ScriptedTransport

URL = "http://a.test/"


@pytest.fixture
def leanbe(stage: str) -> Iterator[Leanbe]:
    with Leanbe(stage, clock=ManualClock(START), seed=1) as leanbe:
        yield leanbe


def test_faults_fire_in_order_each_as_often_as_asked(leanbe: Leanbe, acme: Product) -> None:
    leanbe.faults.receiver_fails(how="refused")
    leanbe.faults.receiver_fails(how="status:500", times=2)
    leanbe.faults.receiver_fails(how="reset")
    leanbe.trigger("idea.created", product=acme)
    leanbe.clock.advance(hours=1)
    assert [each[:2] for each in attempts_of_last(leanbe)] == [
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
    both = leanbe.faults.add("wrong_secret+delivered_late:1h", must_fire=False)
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
    assert attempts_of_last(leanbe) == [("delivered", 204, None)]


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
def test_a_fault_for_impossible_deliveries_is_refused(
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
    with pytest.raises(FaultNeedsWire, match="is impossible for http://testserver/"):
        leanbe.faults.add(kind)
    assert leanbe.faults.list() == []


def test_a_fault_of_the_wire_that_meets_such_a_receiver_later_says_so(
    leanbe: Leanbe, inbox: VerifyingReceiver
) -> None:
    leanbe.faults.slow_body()
    acme = leanbe.products.create("Acme", webhook=inbox, secret=SECRET)
    with pytest.raises(FaultNeedsWire, match="http://testserver/") as refused:
        leanbe.trigger("idea.created", product=acme)
    assert isinstance(refused.value, Conflict)
    assert attempts_of_last(leanbe) == [("unreachable", None, "slow_body:1s")]
    assert inbox.requests == []
    leanbe.clock.advance(hours=1)
    assert attempts_of_last(leanbe)[1:] == [("delivered", 204, None)]


def test_a_fault_of_the_wire_that_meets_a_transport_of_the_users_says_so() -> None:
    transport = ScriptedTransport()
    with Leanbe(transport=transport) as leanbe:
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


def test_two_runs_with_every_kind_are_the_same() -> None:
    runs = []
    for _ in range(2):
        with Leanbe(clock=ManualClock(START), seed=1) as leanbe:
            acme = leanbe.products.create("Acme", webhook=VerifyingReceiver(), secret=SECRET)
            for kind in leanbe.faults.kinds:
                if not kind.needs_wire:
                    leanbe.faults.add(kind.name)
            for _ in leanbe.faults.kinds:
                acme.ideas.create(title="Dark mode")
            leanbe.deliver()
            leanbe.clock.run_until_settled()
            leanbe.faults.require_fired()
            runs.append(leanbe.deliveries.snapshot())
    assert runs[0] == runs[1]


def test_faults_change_no_id_and_no_secret() -> None:
    made = []
    for faulty in (True, False):
        with Leanbe(clock=ManualClock(START), seed=1) as leanbe:
            if faulty:
                leanbe.faults.receiver_fails(must_fire=False)
            product = leanbe.products.create("Acme", webhook_url=URL)
            made.append((product.id, product.webhook.secret, product.ideas.create(title="A").id))
    assert made[0] == made[1]


def test_an_event_cannot_have_arrived_without_a_call(leanbe: Leanbe, acme: Product) -> None:
    acme.ideas.create(title="Dark mode")
    leanbe.faults.receiver_fails()
    leanbe.deliver()
    leanbe.refute_delivered("idea.created")
    leanbe.faults.receiver_fails_after_call()
    leanbe.clock.advance(seconds=5)
    with pytest.raises(AssertionError, match="by the fault receiver_fails_after_call:timeout"):
        leanbe.refute_delivered("idea.created")
