"""The webhook settings of products.

A secret is shown where it is asked for: nowhere else.
"""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import Field

from leanbe_emitter.errors import NotFound
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.library import Leanbe, TriggerRequest
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.field_types import Secret
from leanbe_emitter.server.http.parsing import Body
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.routes.products import NewWebhook
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.strict_model import StrictModel

#: What a webhook is tested with.
_SAMPLE = "customer.created"


class NewSecret(StrictModel):
    """What to sign with from now on."""

    secret: Secret | None = Field(
        default=None, description="Generated where it is left out.", examples=["whsec_test"]
    )


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on webhook settings."""
    routes = Routes(app, leanbe, "Webhooks")
    path = "/products/{product}/webhook"

    @routes.write("PUT", path, gives=setup.WEBHOOK)
    def set_(product: str, given: Annotated[NewWebhook, Depends(Body(NewWebhook))]) -> Response:
        """Set where a product's events go; what is left out stays as it is.

        The secret is generated with the first URL; another URL keeps it.
        """
        return responses.one(leanbe.webhooks.set(product, given.url, **given.settings()))

    @routes.read(path, gives=setup.WEBHOOK)
    def show(product: str) -> Response:
        """Show a product's webhook, without its secret."""
        return responses.one(leanbe.products.get(product).webhook)

    @routes.write("DELETE", path, gives=None)
    def clear(product: str) -> Response:
        """Stop deliveries: the URL goes, what is pending is cancelled, the secret stays."""
        leanbe.webhooks.clear(product)
        return responses.nothing()

    @routes.read(f"{path}/secret", gives=setup.SECRET)
    def secret(product: str) -> Response:
        """Show a product's secret."""
        found = leanbe.products.get(product)
        if found.webhook.secret is None:
            raise NotFound(
                f"The product {found.name!r} has no secret yet.",
                hint=SET_WEBHOOK.between("It gets one with its first URL: ", "."),
            )
        return responses.one({"secret": found.webhook.secret})

    @routes.write("POST", f"{path}/rotate", gives=setup.WEBHOOK)
    def rotate(
        product: str, given: Annotated[NewSecret, Depends(Body(NewSecret, is_required=False))]
    ) -> Response:
        """Sign with another secret from now on; what is queued keeps its signature."""
        return responses.one(leanbe.webhooks.rotate(product, secret=given.secret))

    @routes.write("POST", f"{path}/test", gives=deliveries.TRIGGERED, status=201)
    def test(product: str) -> Response:
        """Raise a sample event (customer.created) for a product's webhook to receive.

        Without a URL, or where the product does not want the event, it is a conflict (409).
        """
        wanted = TriggerRequest(events=[_SAMPLE], product=product)
        (triggered,) = leanbe.trigger_all(wanted, deliver=False)
        triggered.owed()
        return responses.one(triggered, status=201)
