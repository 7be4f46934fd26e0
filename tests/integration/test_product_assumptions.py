"""The assumptions of a product: stored as they were set, shown where they deviate."""

import pytest

from leanbe_emitter import InvalidValue, Leanbe, NotFound, Product, TriggerRequest
from leanbe_emitter.settings import Settings
from tests.support.concurrency import call_at_once
from tests.support.loopback_receiver import LoopbackReceiver

pytestmark = pytest.mark.any_database


def test_only_what_somebody_set_is_stored(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme")
    assert leanbe.assumptions.set("method", " put ") == "PUT"
    assert leanbe.assumptions.set("max_attempts", "5") == "5"
    assert leanbe.assumptions.of() == {"method": "PUT", "max_attempts": "5"}
    leanbe.assumptions.unset("method")
    leanbe.assumptions.unset("method")
    assert leanbe.assumptions.of("Acme") == {"max_attempts": "5"}
    assert leanbe.products.get("Acme").assumptions == {"max_attempts": "5"}


def test_the_assumptions_of_one_product_are_no_others(leanbe: Leanbe) -> None:
    acme, other = leanbe.products.create("Acme"), leanbe.products.create("Other")
    leanbe.assumptions.set("method", "PUT", product=acme)
    assert leanbe.assumptions.of(other) == {}
    with pytest.raises(InvalidValue, match="several products"):
        leanbe.assumptions.set("method", "PUT")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("methd", "PUT", "method"), ("method", "GET", "POST"), ("timeout", "0", "timeout")],
)
def test_an_unknown_assumption_or_value_is_refused(
    leanbe: Leanbe, name: str, value: str, words: str
) -> None:
    leanbe.products.create("Acme")
    with pytest.raises(InvalidValue, match=words):
        leanbe.assumptions.set(name, value)
    with pytest.raises(InvalidValue, match=words):
        leanbe.products.create("Other", assume={name: value})
    with pytest.raises(InvalidValue, match=words):
        Leanbe(assume={name: value})
    assert [(each.name, each.assumptions) for each in leanbe.products.list()] == [("Acme", {})]


def test_assumptions_of_no_product_are_not_found(leanbe: Leanbe) -> None:
    with pytest.raises(NotFound):
        leanbe.assumptions.set("method", "PUT")
    with pytest.raises(NotFound):
        leanbe.assumptions.of("Acme")


def test_at_creation_the_nearest_given_assumption_wins(db: str) -> None:
    settings = Settings(assume={"method": "PUT", "max_attempts": "1", "timeout": "3"})
    with Leanbe(db, settings=settings, assume={"max_attempts": "2", "timeout": "4"}) as leanbe:
        leanbe.products.create("Acme", assume={"timeout": "5s"})
        assumed = leanbe.assumptions.of()
        assert (assumed["method"], assumed["max_attempts"]) == ("PUT", "2")
        assert assumed["timeout"] == leanbe.assumptions.set("timeout", "5")


def test_assumptions_of_a_leanbe_are_for_what_it_makes_not_for_what_is_there(
    database_url: str,
) -> None:
    with Leanbe(database_url) as leanbe:
        leanbe.products.create("Acme")
    with Leanbe(database_url, assume={"method": "PUT"}) as leanbe:
        assert leanbe.assumptions.of("Acme") == {}


def test_an_assumption_for_one_request_is_for_that_alone(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    special = leanbe.trigger("idea.created", assume={"method": "put", "pretty_body": "true"})
    usual = leanbe.trigger("idea.created")
    assert [request.method for request in receiver.requests] == ["PUT", "POST"]
    assert receiver.bodies[0].startswith(b'{\n  "payload"')
    assert special.attempts[0].assumptions == {"method": "PUT", "pretty_body": "true"}
    assert usual.attempts[0].assumptions == {}
    assert leanbe.assumptions.of(product) == {}


def test_assumptions_about_delivery_are_read_when_the_attempt_is_made(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.trigger_all(TriggerRequest(events=["idea.created"]), deliver=False)
    leanbe.assumptions.set("max_attempts", "1", product=product)
    leanbe.assumptions.set("method", "PUT", product=product)
    receiver.statuses.append(500)
    (attempt,) = leanbe.deliver()
    assert attempt.assumptions == {"max_attempts": "1"}
    assert receiver.requests[0].method == "POST"
    assert leanbe.deliveries.last().status == "exhausted"


def test_of_two_assumptions_set_at_once_both_are_kept(database_url: str) -> None:
    with Leanbe(database_url) as one, Leanbe(database_url) as other:
        one.products.create("Acme")
        for n in range(5):
            one.assumptions.unset("method")
            one.assumptions.unset("timeout")
            call_at_once(
                lambda: one.assumptions.set("method", "PUT"),
                lambda: other.assumptions.set("timeout", "3"),
            )
            assert one.assumptions.of().keys() == {"method", "timeout"}, n
