import pytest
from django.core.wsgi import get_wsgi_application
from leanbe_emitter.testing import Receiver


@pytest.fixture
def leanbe_receiver(db: None) -> Receiver:
    return Receiver(get_wsgi_application(), path="/hooks/leanbe", secret="whsec_test")
