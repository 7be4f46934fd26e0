"""Faults: deliberate misbehaviours, counted, for every process that sends from the database."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import Field

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.field_types import WHOLE, EventGlob
from leanbe_emitter.server.http.parsing import Body
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS

_KINDS: Final = "What the receiver sees:\n\n" + "\n".join(
    f"- `{each.name}`: {each.meaning}" for each in FAULT_KINDS
)
_WAYS: Final = "\n".join(
    f"- `{each.name}`: {', '.join(f'`{how}`' for how in each.how)}; by default `{each.default}`"
    for each in FAULT_KINDS
    if each.how
)


class NewFault(StrictModel):
    """A misbehaviour that is asked for."""

    kind: str = Field(
        description=f"One kind, or several that happen together, joined by `+`. {_KINDS}",
        examples=["receiver_fails"],
    )
    how: str | None = Field(
        default=None,
        description=f"How it is done, where there are several ways:\n\n{_WAYS}",
        examples=["timeout"],
    )
    times: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE] = Field(
        default=1, description="How many deliveries take it."
    )
    event: EventGlob | None = Field(
        default=None,
        description="A glob of events that it is meant for; any by default.",
        examples=["idea.*"],
    )
    product: str | None = Field(
        default=None, description="Whose events it is meant for; any product's by default."
    )


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on faults."""
    routes = Routes(app, leanbe, "Faults")

    @routes.write("POST", "/faults", gives=setup.FAULT, status=201)
    def add(given: Annotated[NewFault, Depends(Body(NewFault))]) -> Response:
        """Arm a fault.

        One attempt takes one fault: the first one, in the order in which they were armed, that is
        meant for it and has fired less often than asked. What was done is on record in the attempt.
        """
        fault = leanbe.faults.add(
            given.kind,
            how=given.how,
            times=given.times,
            event=given.event,
            product=given.product,
            # No test that armed it ends here: how often it fired, whoever cares has to look up.
            must_fire=False,
        )
        return responses.one(fault, status=201)

    @routes.read("/faults", gives=setup.page(setup.FAULT))
    def list_() -> Response:
        """List the faults, in the order in which they fire; those that have fired, too."""
        return responses.page(leanbe.faults.list())

    @routes.write("DELETE", "/faults", gives=None)
    def clear() -> Response:
        """Forget all faults; what one holds back is due at once."""
        leanbe.faults.clear()
        return responses.nothing()
