"""How a product reads the article where it leaves something open."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import Field, WithJsonSchema

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.parsing import Body, Fields, named_in_path
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.strict_model import StrictModel, Switch, shown, text_of_switch
from leanbe_emitter.wire.assumptions.lookup import ASSUMPTIONS, assumption


class Value(StrictModel):
    """What an assumption is to be."""

    value: Annotated[Switch, WithJsonSchema(setup.SWITCH)] = Field(
        description="One of those that it takes.", examples=["3", 3]
    )


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on assumptions."""
    routes = Routes(app, leanbe, "Assumptions")
    path = "/products/{product}/assumptions"

    @routes.read(path, gives=setup.page(setup.ASSUMPTION))
    def list_(product: str) -> Response:
        """List all assumptions, with their values for a product."""
        values = leanbe.assumptions.of(product)
        return responses.page(each.document(values) for each in ASSUMPTIONS if each.name)

    @routes.write("PUT", path, gives=setup.ASSUMED)
    def replace(
        product: str, given: Annotated[dict[str, Any], Depends(Fields(setup.SET))]
    ) -> Response:
        """Set these assumptions of a product, and go back to the article's reading of all others.

        Answers with those that are set.
        """
        with leanbe.transaction():
            _unset_all(leanbe, product, but=given)
            for name, value in _texts(given).items():
                leanbe.assumptions.set(name, value, product=product)
            return responses.one(leanbe.assumptions.of(product))

    @routes.write("DELETE", path, gives=None)
    def unset_all(product: str) -> Response:
        """Go back to the article's reading of all assumptions."""
        with leanbe.transaction():
            _unset_all(leanbe, product, but={})
        return responses.nothing()

    @routes.read(f"{path}/{{name}}", gives=setup.ASSUMPTION)
    def show(product: str, name: str) -> Response:
        """Show one assumption: the question, the evidence, what may be set, and what is."""
        found = named_in_path(assumption, name)
        return responses.one(found.document(leanbe.assumptions.of(product)))

    @routes.write("PUT", f"{path}/{{name}}", gives=setup.ASSUMPTION)
    def set_(product: str, name: str, given: Annotated[Value, Depends(Body(Value))]) -> Response:
        """Set an assumption of a product."""
        found = named_in_path(assumption, name)
        text = leanbe.assumptions.set(name, given.value, product=product)
        return responses.one(found.document({name: text}))

    @routes.write("DELETE", f"{path}/{{name}}", gives=None)
    def unset(product: str, name: str) -> Response:
        """Go back to the article's reading of one assumption."""
        leanbe.assumptions.unset(named_in_path(assumption, name).name, product=product)
        return responses.nothing()


def _unset_all(leanbe: Leanbe, product: str, *, but: Mapping[str, Any]) -> None:
    for name in leanbe.assumptions.of(product).keys() - but.keys():
        leanbe.assumptions.unset(name, product=product)


def _texts(given: Mapping[str, Any]) -> Mapping[str, Any]:
    texts = {name: text_of_switch(value) for name, value in given.items()}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise InvalidValue(
                f"{name} is {shown(value)}.", hint="It has to be text, a number or a truth value."
            )
    return texts
