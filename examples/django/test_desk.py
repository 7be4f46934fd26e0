"""The desk's webhooks, with pytest-django."""

import pytest
from leanbe_emitter import Leanbe, Product

from desk.models import Customer


def test_a_customer_is_known_and_kept_up_to_date(leanbe: Leanbe, leanbe_product: Product) -> None:
    ana = leanbe_product.customers.create(email="ana@example.com", first_name="Ana")
    leanbe_product.customers.update(ana, email="ana@example.org")
    leanbe.deliver()
    leanbe.assert_order(["customer.created", "customer.updated"])
    assert [str(each) for each in Customer.objects.all()] == ["Ana <ana@example.org>"]


def test_a_wish_that_comes_again_counts_once(leanbe: Leanbe) -> None:
    leanbe.faults.receiver_fails_after_call(times=3)  # it acts, and its answer is lost
    wish = leanbe.trigger("ideaRequest.created")  # to leanbe_receiver, at once
    leanbe.clock.advance(hours=1)
    leanbe.assert_delivered("ideaRequest.created", times=1)
    assert len(leanbe.deliveries.get(wish).attempts) == 4
    assert Customer.objects.get().wishes == 1


@pytest.mark.parametrize("forgery", ["wrong_secret", "tampered_payload", "missing_signature"])
def test_an_unsigned_or_forged_event_is_refused(leanbe: Leanbe, forgery: str) -> None:
    leanbe.faults.add(forgery)
    leanbe.trigger("customer.created")
    leanbe.assert_refused("customer.created")
    assert not Customer.objects.exists()


def test_an_event_that_nobody_knows_is_accepted(leanbe: Leanbe) -> None:
    leanbe.faults.unknown_event()
    leanbe.trigger("customer.created")
    leanbe.assert_delivered("customer.created")
    assert not Customer.objects.exists()
