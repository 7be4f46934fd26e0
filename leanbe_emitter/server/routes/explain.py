"""Why a signature does not match: of a delivery, or of any body.

A secret that is given is used for this one answer, which does not repeat it.
"""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import Field

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.field_types import Assumed, Secret, SentHeaders
from leanbe_emitter.server.http.parsing import Body
from leanbe_emitter.server.http.routing import READING, Routes
from leanbe_emitter.server.schemas import deliveries
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.explain.explainer import explain


class Computed(StrictModel):
    """What the receiver did."""

    got: str | None = Field(
        default=None,
        description="What the receiver computed, or found where it looked for the signature. "
        "Left out: the usual mistakes are listed, each with what it would compute.",
    )


class Refused(Computed):
    """A request that a receiver refused."""

    secret: Secret = Field(
        description="What the body should be signed with.", examples=["whsec_test"]
    )
    body: str = Field(
        description="The request's body, character for character.",
        examples=['{"payload":{},"event":"idea.created"}'],
    )
    headers: SentHeaders = Field(
        default={},
        description="Its headers; asked where an assumption puts the signature there.",
        examples=[{"X-Leanbe-Signature": "c1164688eaf0fd7910d7f7314efcfd3b"}],
    )
    assumptions: Assumed = Field(
        default={}, description="Assumptions that it was made under, by name."
    )


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations that explain."""
    routes = Routes(app, leanbe, "Deliveries")
    computed = Depends(Body(Computed, is_required=False))

    @routes.add(
        "POST", "/deliveries/{reference}/explain", gives=deliveries.EXPLANATION, refuses=READING
    )
    def explain_delivery(reference: str, given: Annotated[Computed, computed]) -> Response:
        """Say why a receiver refuses the signature of a delivery, and how to mend it.

        It is about the body that was sent last, by the assumptions that it was made under. The
        product's old secrets, and those of other products, are recognised.
        """
        return responses.one(leanbe.deliveries.get(reference).explain(got=given.got))

    @routes.add("POST", "/explain", gives=deliveries.EXPLANATION, refuses=READING)
    def explain_body(given: Annotated[Refused, Depends(Body(Refused))]) -> Response:
        """Say why the signature of a body does not match, and how to mend it.

        It goes by the assumptions that are given, and else by the article. The secrets of the
        products here are recognised, old ones too.
        """
        explanation = explain(
            given.body.encode(errors="surrogatepass"),
            given.secret,
            got=given.got,
            other_secrets=leanbe.webhooks.secrets(),
            headers=list(given.headers.items()),
            assume=given.assumptions,
        )
        return responses.one(explanation)
