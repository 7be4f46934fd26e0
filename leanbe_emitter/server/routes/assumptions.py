"""Assumptions of a product: its answers to questions that the article leaves open."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.problems import lookup_in_path
from leanbe_emitter.server.http.request_body import ModelBody, ObjectBody
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.strict_model import AssumptionValue, StrictModel, assumption_text, shown_value
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTIONS, assumption


class ValueBody(StrictModel):
    """The value of an assumption."""

    value: Annotated[AssumptionValue, WithJsonSchema(setup.ASSUMPTION_VALUE)] = Field(
        description="One of the assumption's possible values.", examples=["3", 3]
    )


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on assumptions."""
    routes = Routes(app, leanbe, "Assumptions")
    path = "/products/{product}/assumptions"

    @routes.read_list(path, returns=setup.page(setup.ASSUMPTION))
    def list_(product: str) -> Response:
        """List all assumptions with a product's values."""
        values = leanbe.assumptions.of(product)
        return responses.page(each.document(values) for each in ASSUMPTIONS if each.name)

    @routes.write("PUT", path, returns=setup.ASSUMPTION_VALUES)
    def replace(
        product: str, body: Annotated[dict[str, Any], ObjectBody(setup.NEW_ASSUMPTIONS)]
    ) -> Response:
        """Replace a product's assumptions; those that the body leaves out get their defaults.

        The response has the assumptions that are set.
        """
        with leanbe.transaction():
            _unset_all(leanbe, product, except_for=body)
            for name, value in _texts(body).items():
                leanbe.assumptions.set(name, value, product=product)
            return responses.one(leanbe.assumptions.of(product))

    @routes.write("DELETE", path, returns=None)
    def unset_all(product: str) -> Response:
        """Reset all assumptions of a product to their defaults."""
        with leanbe.transaction():
            _unset_all(leanbe, product, except_for={})
        return responses.no_content()

    @routes.read(f"{path}/{{name}}", returns=setup.ASSUMPTION)
    def show(product: str, name: str) -> Response:
        """Show one assumption: question, evidence, possible values, and the product's value."""
        found = lookup_in_path(assumption, name)
        return responses.one(found.document(leanbe.assumptions.of(product)))

    @routes.write("PUT", f"{path}/{{name}}", returns=setup.ASSUMPTION)
    def set_(product: str, name: str, body: Annotated[ValueBody, ModelBody(ValueBody)]) -> Response:
        """Set an assumption of a product."""
        found = lookup_in_path(assumption, name)
        text = leanbe.assumptions.set(name, body.value, product=product)
        return responses.one(found.document({name: text}))

    @routes.write("DELETE", f"{path}/{{name}}", returns=None)
    def unset(product: str, name: str) -> Response:
        """Reset an assumption of a product to its default."""
        leanbe.assumptions.unset(lookup_in_path(assumption, name).name, product=product)
        return responses.no_content()


def _unset_all(leanbe: Leanbe, product: str, *, except_for: Mapping[str, Any]) -> None:
    for name in leanbe.assumptions.of(product).keys() - except_for.keys():
        leanbe.assumptions.unset(name, product=product)


def _texts(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values as texts.

    Raises:
        InvalidValue: a value is no text, number or boolean.
    """
    texts = {name: assumption_text(value) for name, value in body.items()}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise InvalidValue(
                f"{name} is {shown_value(value)}.",
                hint="It has to be text, a number or a truth value.",
            )
    return texts
