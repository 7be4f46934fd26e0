"""Webhook settings of products.

Only the operation for secrets shows a secret.
"""

from typing import Annotated

from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.errors import NotFound
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.library import Leanbe, TriggerRequest
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.routes.products import NewWebhook
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.server.schemas.field_types import Secret
from leanbe_emitter.strict_model import StrictModel

#: Event that tests a webhook.
_TEST_EVENT = "customer.created"


class NewSecret(StrictModel):
    """The secret of new signatures."""

    secret: Secret | None = Field(
        default=None, description="By default, a new one is generated.", examples=["whsec_test"]
    )


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on webhook settings."""
    routes = Routes(app, leanbe, "Webhooks")
    path = "/products/{product}/webhook"

    @routes.write("PUT", path, returns=setup.WEBHOOK)
    def set_(product: str, body: Annotated[NewWebhook, ModelBody(NewWebhook)]) -> Response:
        """Set a product's webhook; members that the body leaves out stay unchanged.

        The first URL generates a secret, and later URLs keep it.
        """
        return responses.one(leanbe.webhooks.set(product, body.url, **body.settings()))

    @routes.read(path, returns=setup.WEBHOOK)
    def show(product: str) -> Response:
        """Show a product's webhook, without its secret."""
        return responses.one(leanbe.products.get(product).webhook)

    @routes.write("DELETE", path, returns=None)
    def clear(product: str) -> Response:
        """Remove the URL: pending deliveries are cancelled, and the secret stays."""
        leanbe.webhooks.clear(product)
        return responses.no_content()

    @routes.read(f"{path}/secret", returns=setup.SECRET)
    def secret(product: str) -> Response:
        """Show a product's secret."""
        found = leanbe.products.get(product)
        if found.webhook.secret is None:
            raise NotFound(
                f"The product {found.name!r} has no secret yet.",
                hint=SET_WEBHOOK.between("It gets one with its first URL: ", "."),
            )
        return responses.one({"secret": found.webhook.secret})

    @routes.write("POST", f"{path}/rotate", returns=setup.WEBHOOK)
    def rotate(
        product: str, body: Annotated[NewSecret, ModelBody(NewSecret, is_required=False)]
    ) -> Response:
        """Replace the secret; queued deliveries keep their signatures."""
        return responses.one(leanbe.webhooks.rotate(product, secret=body.secret))

    @routes.write("POST", f"{path}/test", returns=deliveries.TRIGGERED, status=201)
    def test(product: str) -> Response:
        """Trigger a sample event (`customer.created`) for a product's webhook.

        If the product has no URL, or excludes the event, the answer is a conflict (409).
        """
        request = TriggerRequest(events=[_TEST_EVENT], product=product)
        (triggered,) = leanbe.trigger_all(request, deliver=False)
        triggered.require_delivery()
        return responses.one(triggered, status=201)
