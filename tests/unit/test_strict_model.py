"""Objects that people write: what is told of them, and to whom."""

import pytest

from leanbe_emitter.server.routes.products import NewProduct
from leanbe_emitter.server.routes.webhooks import NewSecret
from leanbe_emitter.strict_model import StrictModel


@pytest.mark.parametrize(
    "given",
    [
        NewProduct.model_validate(
            {
                "name": "Acme",
                "webhook": {
                    "url": "http://127.0.0.1:8000/",
                    "secret": "whsec_test",
                    "headers": {"Authorization": "Bearer whsec_test"},
                },
            }
        ),
        NewSecret.model_validate({"secret": "whsec_test"}),
    ],
    ids=["of a product", "alone"],
)
def test_a_secret_is_in_no_repr(given: StrictModel) -> None:
    assert "whsec_test" in given.model_dump_json()
    assert "whsec_test" not in f"{given!r} {given}"
