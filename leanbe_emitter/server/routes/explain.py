"""Explanations of a signature that does not match, for a delivery or for any body.

A secret in a request serves this one answer, and the answer does not repeat it.
"""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.responses import Response
from pydantic import Field

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import READING, Routes
from leanbe_emitter.server.schemas import deliveries
from leanbe_emitter.server.schemas.field_types import Assumptions, ReceivedHeaders, Secret
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.explain.explainer import explain


class ReceiverSignature(StrictModel):
    """The signature on the receiver's side."""

    got: str | None = Field(
        default=None,
        description="Signature that the receiver computed, or found in the request. If it is left "
        "out, the response lists the usual mistakes, each with the signature that it computes.",
    )


class RefusedRequest(ReceiverSignature):
    """A request that a receiver refused."""

    secret: Secret = Field(description="Secret that signs the body.", examples=["whsec_test"])
    body: str = Field(
        description="Body of the request, character for character.",
        examples=['{"payload":{},"event":"idea.created"}'],
    )
    headers: ReceivedHeaders = Field(
        default={},
        description="Headers of the request; needed if an assumption puts the signature there.",
        examples=[{"X-Leanbe-Signature": "c1164688eaf0fd7910d7f7314efcfd3b"}],
    )
    assumptions: Assumptions = Field(default={}, description="Assumptions of the request, by name.")


def add_routes(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations that explain signatures."""
    routes = Routes(app, leanbe, "Deliveries")
    signature = Depends(ModelBody(ReceiverSignature, is_required=False))

    @routes.add(
        "POST", "/deliveries/{reference}/explain", returns=deliveries.EXPLANATION, errors=READING
    )
    def explain_delivery(reference: str, body: Annotated[ReceiverSignature, signature]) -> Response:
        """Explain why a receiver refuses the signature of a delivery, and how to correct it.

        The explanation is about the body that was sent last, under the assumptions of that
        request. It recognises old secrets of the product, and secrets of other products.
        """
        return responses.one(leanbe.deliveries.get(reference).explain(got=body.got))

    @routes.add("POST", "/explain", returns=deliveries.EXPLANATION, errors=READING)
    def explain_body(
        refused: Annotated[RefusedRequest, Depends(ModelBody(RefusedRequest))],
    ) -> Response:
        """Explain why the signature of a body does not match, and how to correct it.

        The explanation applies the given assumptions, and the article's for the rest. It
        recognises present and old secrets of this server's products.
        """
        explanation = explain(
            refused.body.encode(errors="surrogatepass"),
            refused.secret,
            got=refused.got,
            other_secrets=leanbe.webhooks.secrets(),
            headers=list(refused.headers.items()),
            assume=refused.assumptions,
        )
        return responses.one(explanation)
