"""Products, and what belongs to them alone: webhook, assumptions, users."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import ConfigDict, Field, WithJsonSchema

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.field_types import Assumed, Email, Filled, Headers, Secret, Url
from leanbe_emitter.server.http.parsing import Body
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.server.schemas.json_schema import STATUSES
from leanbe_emitter.strict_model import StrictModel, Webhook

_URL: Final = "http://127.0.0.1:8000/hooks/leanbe"


class NewWebhook(Webhook):
    """Where a product's events go."""

    url: Url = Field(description="An http or https URL.", examples=[_URL])
    secret: Secret | None = Field(
        default=None, description="Generated where it is left out.", examples=["whsec_test"]
    )
    headers: Headers | None = Field(
        default=None,
        description="Further headers of every request.",
        examples=[{"X-Environment": "test"}],
    )
    ca_file: str | None = Field(
        default=None,
        description="A PEM file where the server is: its authorities are trusted, and not the "
        "system's. Not together with `insecure`.",
    )
    insecure: bool | None = Field(
        default=None,
        description="Whether any certificate will do; false: the system's authorities again.",
    )


class Owner(StrictModel):
    """The first user of a product."""

    email: Email = Field(examples=["bo@example.com"])
    first_name: Filled = Field(examples=["Bo"])


class NewProduct(StrictModel):
    """A product that is to be made."""

    name: Filled = Field(description="Unique among products.", examples=["Acme"])
    webhook: NewWebhook | None = Field(
        default=None, description="Where its events go.", examples=[{"url": _URL}]
    )
    owner: Owner | None = Field(default=None, description="Its first user.")
    assumptions: Assumed = Field(default={}, description="Assumptions to set, by name.")


class ChangedProduct(StrictModel):
    """What is to be different about a product."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # What is left out says nothing; null is no value of either.
    name: Filled = Field(default_factory=str, description="Unique among products.")
    statuses: Annotated[list[Filled], WithJsonSchema(STATUSES)] = Field(
        default_factory=list,
        description="What a backlog item's status can be, in order.",
        examples=[["Open", "Done"]],
    )


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on products."""
    routes = Routes(app, leanbe, "Products")

    @routes.write("POST", "/products", gives=setup.PRODUCT, status=201)
    def create(given: Annotated[NewProduct, Depends(Body(NewProduct))]) -> Response:
        """Make a product, with its webhook if a URL is given.

        Its secret is at its webhook's `secret`, as in no other answer.
        """
        webhook, owner = given.webhook, given.owner
        made = leanbe.products.create(
            given.name,
            owner=None if owner is None else owner.model_dump(),
            assume=given.assumptions,
            **({} if webhook is None else {"webhook_url": webhook.url, **webhook.settings()}),
        )
        return responses.one(made, status=201)

    @routes.read("/products", gives=setup.page(setup.PRODUCT))
    def list_() -> Response:
        """List all products, the oldest first."""
        return responses.page(leanbe.products.list())

    @routes.read("/products/{product}", gives=setup.PRODUCT)
    def show(product: str) -> Response:
        """Show a product, named by its name, its id, or six digits of either end of the id."""
        return responses.one(leanbe.products.get(product))

    @routes.write("PATCH", "/products/{product}", gives=setup.PRODUCT)
    def update(
        product: str, given: Annotated[ChangedProduct, Depends(Body(ChangedProduct))]
    ) -> Response:
        """Change a product's name or the statuses of its backlog items."""
        is_given = given.model_fields_set
        if not is_given:
            raise InvalidValue("Nothing to change was given.", hint="Give a name or statuses.")
        with leanbe.transaction():
            found = leanbe.products.get(product)
            if "name" in is_given:
                found = leanbe.products.rename(found, given.name)
            if "statuses" in is_given:
                found = leanbe.products.set_statuses(found, given.statuses)
        return responses.one(found)

    @routes.write("DELETE", "/products/{product}", gives=None)
    def delete(product: str) -> Response:
        """Delete a product and all that hangs on it, what is owed included."""
        leanbe.products.delete(product)
        return responses.nothing()
