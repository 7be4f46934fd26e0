"""Users of products."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field, JsonValue
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.server.schemas.field_types import Email, NonBlank
from leanbe_emitter.strict_model import StrictModel

_PRESENT: Final[JsonValue] = {"type": "string"}
_ABSENT: Final[JsonValue] = {"type": "null"}
#: Two members for a new user, or one for a user of another product.
_ONE_WAY: Final[list[JsonValue]] = [
    {
        "required": ["email", "firstName"],
        "properties": {"email": _PRESENT, "firstName": _PRESENT, "user": _ABSENT},
    },
    {
        "required": ["user"],
        "properties": {"email": _ABSENT, "firstName": _ABSENT, "user": _PRESENT},
    },
]


class NewUser(StrictModel):
    """A user to create, or a user of another product who gets access to this one."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _ONE_WAY})

    email: Email | None = Field(
        default=None,
        description="E-mail address, unique in a product.",
        examples=["bo@example.com"],
    )
    first_name: NonBlank | None = Field(
        default=None, description="First name, as payloads show it.", examples=["Bo"]
    )
    user: NonBlank | None = Field(
        default=None,
        description="E-mail or id of a user of another product, instead of the other members.",
    )


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on users."""
    routes = Routes(app, leanbe, "Users")
    path = "/products/{product}/users"

    @routes.write("POST", path, returns=setup.USER, status=201)
    def create(product: str, body: Annotated[NewUser, ModelBody(NewUser)]) -> Response:
        """Create a user of a product, or give a user of another product access.

        A body with `user` alone is about a user of another product.
        """
        found = leanbe.products.get(product)
        match body:
            case NewUser(email=str(email), first_name=str(first_name), user=None):
                user = found.users.create(email=email, first_name=first_name)
            case NewUser(email=None, first_name=None, user=str(reference)):
                user = leanbe.users.grant(reference, product=found)
            case _:
                raise InvalidValue(
                    "The body has neither email and firstName alone nor user alone.",
                    hint='Give {"email": ..., "firstName": ...} or {"user": ...}.',
                )
        return responses.one(user, status=201)

    @routes.read_list(path, returns=setup.page(setup.USER))
    def list_(product: str) -> Response:
        """List the users of a product, the oldest first."""
        return responses.page(leanbe.products.get(product).users.list())

    @routes.read(f"{path}/{{reference}}", returns=setup.USER)
    def show(product: str, reference: str) -> Response:
        """Show a user."""
        return responses.one(leanbe.products.get(product).users.get(reference))
