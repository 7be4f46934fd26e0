"""Products, and what belongs to them alone: webhook, assumptions, users."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, WithJsonSchema
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.server.schemas.field_types import (
    Assumptions,
    Email,
    Headers,
    NonBlank,
    Secret,
    Url,
)
from leanbe_emitter.server.schemas.json_schema import STATUSES
from leanbe_emitter.strict_model import StrictModel, Webhook

_URL: Final = "http://127.0.0.1:8000/hooks/leanbe"


class NewWebhook(Webhook):
    """The webhook of a product."""

    url: Url = Field(description="An http or https URL.", examples=[_URL])
    secret: Secret | None = Field(
        default=None, description="By default, a new one is generated.", examples=["whsec_test"]
    )
    headers: Headers | None = Field(
        default=None,
        description="Further headers of every request.",
        examples=[{"X-Environment": "test"}],
    )
    ca_file: str | None = Field(
        default=None,
        description="PEM file on the server's machine, with the authorities to trust instead of "
        "the system's. Not together with `insecure`.",
    )
    insecure: bool | None = Field(
        default=None,
        description="Whether to trust every certificate; false: trust the system's authorities "
        "again.",
    )


class Owner(StrictModel):
    """The first user of a product."""

    email: Email = Field(examples=["bo@example.com"])
    first_name: NonBlank = Field(examples=["Bo"])


class NewProduct(StrictModel):
    """A product to create."""

    name: NonBlank = Field(description="Unique among products.", examples=["Acme"])
    webhook: NewWebhook | None = Field(
        default=None, description="Webhook of the product.", examples=[{"url": _URL}]
    )
    owner: Owner | None = Field(default=None, description="First user of the product.")
    assumptions: Assumptions = Field(default={}, description="Assumptions to set, by name.")


class ProductChanges(StrictModel):
    """Changes of a product."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # A member that is left out changes nothing; null is no value.
    name: NonBlank = Field(default_factory=str, description="Unique among products.")
    statuses: Annotated[list[NonBlank], WithJsonSchema(STATUSES)] = Field(
        default_factory=list,
        description="Possible statuses of backlog items, in order.",
        examples=[["Open", "Done"]],
    )


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on products."""
    routes = Routes(app, leanbe, "Products")

    @routes.read_list("/products", returns=setup.page(setup.PRODUCT))
    def list_() -> Response:
        """List all products, the oldest first."""
        return responses.page(leanbe.products.list())

    @routes.write("POST", "/products", returns=setup.PRODUCT, status=201)
    def create(body: Annotated[NewProduct, ModelBody(NewProduct)]) -> Response:
        """Create a product, with its webhook if the body has a URL.

        `GET /api/v1/products/{product}/webhook/secret` shows the secret; no other response does.
        """
        webhook, owner = body.webhook, body.owner
        created = leanbe.products.create(
            body.name,
            owner=None if owner is None else owner.model_dump(),
            assume=body.assumptions,
            **({} if webhook is None else {"webhook_url": webhook.url, **webhook.settings()}),
        )
        return responses.one(created, status=201)

    @routes.read("/products/{product}", returns=setup.PRODUCT)
    def show(product: str) -> Response:
        """Show a product."""
        return responses.one(leanbe.products.get(product))

    @routes.write("PATCH", "/products/{product}", returns=setup.PRODUCT)
    def update(
        product: str, body: Annotated[ProductChanges, ModelBody(ProductChanges)]
    ) -> Response:
        """Change a product's name or the statuses of its backlog items."""
        changed = body.model_fields_set
        if not changed:
            raise InvalidValue("Nothing to change was given.", hint="Give a name or statuses.")
        with leanbe.transaction():
            found = leanbe.products.get(product)
            if "name" in changed:
                found = leanbe.products.rename(found, body.name)
            if "statuses" in changed:
                found = leanbe.products.set_statuses(found, body.statuses)
        return responses.one(found)

    @routes.write("DELETE", "/products/{product}", returns=None)
    def delete(product: str) -> Response:
        """Delete a product with all its data; its pending deliveries are deleted too."""
        leanbe.products.delete(product)
        return responses.no_content()
