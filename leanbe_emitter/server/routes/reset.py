"""Reset: delete everything, or one product's data, and leave no earlier delivery in flight."""

from typing import Annotated, Literal

from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.strict_model import StrictModel


class Reset(StrictModel):
    """Options of a reset."""

    ids: Literal["go on", "restart"] = Field(
        default="go on",
        description="`restart`: ids, secrets and a manual clock begin again as after the last "
        "`restart`, with the time at which the clock was last set. `go on`: they continue.",
    )


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations that reset."""
    routes, feed = Routes(app, leanbe, "Reset"), app.state.row_feed

    @routes.write("POST", "/reset", returns=None)
    def reset(body: Annotated[Reset, ModelBody(Reset, is_required=False)]) -> Response:
        """Delete everything, including faults, and load the database's seed file again.

        The server aborts its own deliveries in flight. The results of deliveries that other
        workers have in flight are ignored.
        """
        leanbe.reset(ids=body.ids)
        feed.reset(None)
        return responses.no_content()

    @routes.write("POST", "/products/{product}/reset", returns=setup.PRODUCT)
    def reset_product(product: str) -> Response:
        """Delete a product's data and its faults; the product keeps its settings.

        The settings are name, webhook, assumptions, statuses and users. If the seed file has a
        product of this name, its content is loaded again. Deliveries in flight end as with
        `POST /api/v1/reset`.
        """
        found = leanbe.products.reset(product)
        feed.reset(found.id)
        return responses.one(found)
