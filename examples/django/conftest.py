import pytest
from django.core.wsgi import get_wsgi_application
from leanbe_emitter.testing import Receiver
from pytest_django import Settings


@pytest.fixture
def leanbe_receiver(db: None, settings: Settings) -> Receiver:
    settings.LEANBE_WEBHOOK_SECRET = "whsec_test"
    return Receiver(get_wsgi_application(), path="/hooks/leanbe", secret="whsec_test")
