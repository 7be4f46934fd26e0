"""The desk's webhooks, with Django's own ``TestCase``: ``python manage.py test`` runs it, too."""

from django.core.wsgi import get_wsgi_application
from django.test import TestCase, override_settings
from leanbe_emitter.testing import LeanbeMixin, Receiver

from desk.models import Customer

BEN = "64a28f0c9c3a1954e6a2e510"


@override_settings(LEANBE_WEBHOOK_SECRET="whsec_test")
class Wishes(LeanbeMixin, TestCase):
    """Each test is a transaction: the desk sees it, and nothing of it stays."""

    @classmethod
    def setUpTestData(cls) -> None:
        Customer.objects.create(leanbe_id=BEN, email="ben@example.com", name="Ben", wishes=5)

    def leanbe_receiver(self) -> Receiver:
        return Receiver(get_wsgi_application(), path="/hooks/leanbe", secret="whsec_test")

    def test_the_desk_sees_what_the_test_wrote(self) -> None:
        somebody = {"customer._id": BEN, "customer.firstName": "Ben"}
        self.leanbe.trigger("ideaRequest.created", set=somebody)
        self.leanbe.assert_delivered("ideaRequest.created", times=1)
        self.assertEqual(wishes(), {"Ben": 6})

    def test_the_test_sees_what_the_desk_wrote(self) -> None:
        ana = self.leanbe_product.customers.create(email="ana@example.com", first_name="Ana")
        for title in ("Dark mode", "Light mode"):
            self.leanbe_product.idea_requests.create(title=title, customer=ana)
        self.leanbe.deliver()
        self.leanbe.assert_delivered("ideaRequest.created", times=2)
        self.assertEqual(wishes(), {"Ben": 5, "Ana": 2})


def wishes() -> dict[str, int]:
    return dict(Customer.objects.values_list("name", "wishes"))
