"""The desk's webhooks, with pytest-django."""

from dataclasses import replace

from leanbe_emitter import Leanbe, Product
from leanbe_emitter.testing import Receiver

from desk.models import Customer


def test_a_customer_is_known_and_kept_up_to_date(leanbe: Leanbe, leanbe_product: Product) -> None:
    ana = leanbe_product.customers.create(email="ana@example.com", first_name="Ana")
    leanbe_product.customers.update(ana, email="ana@example.org")
    leanbe.deliver()
    leanbe.assert_order(["customer.created", "customer.updated"])
    assert [str(each) for each in Customer.objects.all()] == ["Ana <ana@example.org>"]


def test_a_wish_that_comes_again_counts_once(leanbe: Leanbe) -> None:
    wish = leanbe.trigger("ideaRequest.created")  # to leanbe_receiver, at once
    wish.redeliver(times=3)
    leanbe.assert_delivered("ideaRequest.created", times=4)
    assert Customer.objects.get().wishes == 1


def test_what_leanbe_did_not_sign_is_refused(leanbe: Leanbe, leanbe_receiver: Receiver) -> None:
    forger = replace(leanbe_receiver, secret="whsec_of_somebody_else").product(leanbe, "Forger")
    leanbe.trigger("customer.created", product=forger)
    leanbe.assert_refused("customer.created", status=401)
    assert not Customer.objects.exists()


def test_other_events_are_accepted(leanbe: Leanbe) -> None:
    leanbe.trigger("okr.created")
    leanbe.assert_delivered("okr.created")
    assert not Customer.objects.exists()
