"""Faults: deliberate, counted misbehaviour of all processes that send from the database."""

from typing import Annotated, Final

from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.server.schemas.field_types import INTEGER, EventGlob
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS

_KINDS: Final = "Kinds, each with what the receiver gets:\n\n" + "\n".join(
    f"- `{each.name}`: {each.meaning}" for each in FAULT_KINDS
)
_VARIANTS: Final = "\n".join(
    f"- `{each.name}`: {', '.join(f'`{how}`' for how in each.how)}; by default `{each.default}`"
    for each in FAULT_KINDS
    if each.how
)


class NewFault(StrictModel):
    """A fault to add."""

    kind: str = Field(
        description=f"One kind, or several that apply together, joined by `+`. {_KINDS}",
        examples=["receiver_fails"],
    )
    how: str | None = Field(
        default=None,
        description=f"Variant of the kind, if it has several:\n\n{_VARIANTS}",
        examples=["timeout"],
    )
    times: Annotated[int, Field(ge=1, le=2**31 - 1), INTEGER] = Field(
        default=1, description="Number of attempts that have the fault."
    )
    event: EventGlob | None = Field(
        default=None,
        description="Glob of the events that the fault is for; by default, all.",
        examples=["idea.*"],
    )
    product: str | None = Field(
        default=None,
        description="Name or id of the product that the fault is for; by default, all.",
    )


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on faults."""
    routes = Routes(app, leanbe, "Faults")

    @routes.read_list("/faults", returns=setup.page(setup.FAULT))
    def list_() -> Response:
        """List all faults in the order in which they fire, also those that have fired."""
        return responses.page(leanbe.faults.list())

    @routes.write("POST", "/faults", returns=setup.FAULT, status=201)
    def add(body: Annotated[NewFault, ModelBody(NewFault)]) -> Response:
        """Add a fault.

        An attempt has one fault at most: the oldest that is for its event and product, and has
        fired less than `times` times. The attempt records its fault.
        """
        fault = leanbe.faults.add(
            body.kind,
            how=body.how,
            times=body.times,
            event=body.event,
            product=body.product,
            # The server knows no end of a test, at which to check whether the fault has fired.
            must_fire=False,
        )
        return responses.one(fault, status=201)

    @routes.write("DELETE", "/faults", returns=None)
    def clear() -> Response:
        """Delete all faults; deliveries that a fault holds back are due at once."""
        leanbe.faults.clear()
        return responses.no_content()

    @routes.read("/faults/catalogue", returns=setup.page(setup.FAULT_KIND))
    def catalogue() -> Response:
        """List the kinds of faults in four groups, with what the receiver gets from each."""
        return responses.page(each.document() for each in leanbe.faults.kinds)

    @routes.write("DELETE", "/faults/{reference}", returns=None)
    def delete(reference: str) -> Response:
        """Delete a fault: it fires no more. A delivery that has taken it already keeps it."""
        leanbe.faults.delete(reference)
        return responses.no_content()
