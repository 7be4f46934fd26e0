"""The members of products' teams."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import ConfigDict, Field, JsonValue

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.field_types import Email, Filled
from leanbe_emitter.server.http.parsing import Body
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.strict_model import StrictModel

_IS_GIVEN: Final[JsonValue] = {"type": "string"}
_IS_LEFT_OUT: Final[JsonValue] = {"type": "null"}
#: Which members there are: two of somebody new, or one of somebody who is there.
_ONE_WAY: Final[list[JsonValue]] = [
    {
        "required": ["email", "firstName"],
        "properties": {"email": _IS_GIVEN, "firstName": _IS_GIVEN, "user": _IS_LEFT_OUT},
    },
    {
        "required": ["user"],
        "properties": {"email": _IS_LEFT_OUT, "firstName": _IS_LEFT_OUT, "user": _IS_GIVEN},
    },
]


class NewUser(StrictModel):
    """A user that is to be made, or one of another product who is to have access to this one."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _ONE_WAY})

    email: Email | None = Field(
        default=None, description="Unique in a product.", examples=["bo@example.com"]
    )
    first_name: Filled | None = Field(
        default=None, description="As payloads show it.", examples=["Bo"]
    )
    user: Filled | None = Field(
        default=None, description="Instead: e-mail or id of a user of another product."
    )


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on users."""
    routes = Routes(app, leanbe, "Users")
    path = "/products/{product}/users"

    @routes.write("POST", path, gives=setup.USER, status=201)
    def create(product: str, given: Annotated[NewUser, Depends(Body(NewUser))]) -> Response:
        """Make a user with access to a product.

        Given ``user`` alone, a user of another product has access to this one, too.
        """
        found = leanbe.products.get(product)
        match given:
            case NewUser(email=str(email), first_name=str(first_name), user=None):
                user = found.users.create(email=email, first_name=first_name)
            case NewUser(email=None, first_name=None, user=str(reference)):
                user = leanbe.users.grant(reference, product=found)
            case _:
                raise InvalidValue(
                    "A user is an email and a firstName, or a user of another product.",
                    hint='Give {"email": ..., "firstName": ...} or {"user": ...}.',
                )
        return responses.one(user, status=201)

    @routes.read(path, gives=setup.page(setup.USER))
    def list_(product: str) -> Response:
        """List the users of a product, the oldest first."""
        return responses.page(leanbe.products.get(product).users.list())

    @routes.read(f"{path}/{{reference}}", gives=setup.USER)
    def show(product: str, reference: str) -> Response:
        """Show a user, named by e-mail, id, or a part of the id."""
        return responses.one(leanbe.products.get(product).users.get(reference))
