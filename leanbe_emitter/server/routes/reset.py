"""Reset: everything goes, or what one product has; nothing of before is under way afterwards."""

from typing import Annotated, Literal

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import Field

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.parsing import Body
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.strict_model import StrictModel


class Reset(StrictModel):
    """How everything is to begin again."""

    ids: Literal["go on", "restart"] = Field(
        default="go on",
        description="`restart`: the same ids and secrets again as after the last `restart`, and "
        "the time at which a manual clock was last set. Else both go on.",
    )


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations that reset."""
    routes = Routes(app, leanbe, "Reset")

    @routes.write("POST", "/reset", gives=None)
    def reset(given: Annotated[Reset, Depends(Body(Reset, is_required=False))]) -> Response:
        """Delete everything, faults too.

        When it answers, nothing of before is there, and what the seed file of the database says is
        there again. What this server has in flight was broken off; what other workers have in
        flight changes nothing any more.
        """
        leanbe.reset(ids=given.ids)
        return responses.nothing()

    @routes.write("POST", "/products/{product}/reset", gives=setup.PRODUCT)
    def reset_product(product: str) -> Response:
        """Delete what a product has, and faults that are meant for it; it keeps its settings.

        Those are name, webhook, assumptions, statuses and users. What the seed file says of a
        product of this name is there again. Of what is in flight holds what `POST /api/v1/reset`
        says.
        """
        return responses.one(leanbe.products.reset(product))
