"""Explanations of a signature that does not match, for a delivery or for any body.

A secret in a request serves this one answer, and the answer does not repeat it.
"""

import base64
from typing import Annotated

from pydantic import Field
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.request_body import ModelBody
from leanbe_emitter.server.http.routing import READING, WRITING, Routes
from leanbe_emitter.server.schemas import deliveries
from leanbe_emitter.server.schemas.field_types import INTEGER, Assumptions, ReceivedHeaders, Secret
from leanbe_emitter.strict_model import StrictModel
from leanbe_emitter.wire.did_you_mean import any_of
from leanbe_emitter.wire.explain.explainer import explain
from leanbe_emitter.wire.explain.languages import Language


class ReceiverSignature(StrictModel):
    """The signature on the receiver's side."""

    got: str | None = Field(
        default=None,
        description="Signature that the receiver computed, or found in the request. If it is left "
        "out, the response lists the usual mistakes, each with the signature that it computes.",
    )
    hashed: str | None = Field(
        default=None,
        description="Text that the receiver hashed; the response has the first difference.",
        examples=['{"title": "Dark mode"}'],
    )
    hashed_base64: str | None = Field(
        default=None,
        description="The same in base64, for bytes that are not UTF-8.",
        examples=["eyJ0aXRsZSI6ICJEYXJrIG1vZGUifQ=="],
    )
    lang: str | None = Field(
        default=None,
        description=f"Language of the receiver, for the repair: {any_of(Language)}. By default, "
        "the mistake tells it.",
        examples=["php"],
    )

    def hashed_bytes(self) -> bytes | None:
        """Return the bytes that the receiver hashed.

        Raises:
            InvalidValue: the base64 is wrong, or both members are there.
        """
        if self.hashed is not None and self.hashed_base64 is not None:
            raise InvalidValue("hashed and hashedBase64 are both there.", hint="Give one of them.")
        if self.hashed_base64 is None:
            return None if self.hashed is None else self.hashed.encode(errors="surrogatepass")
        try:
            return base64.b64decode(self.hashed_base64, validate=True)
        except ValueError:
            raise InvalidValue(
                "hashedBase64 is no base64.", hint="Use the standard alphabet, with padding."
            ) from None


class RefusedDelivery(ReceiverSignature):
    """The facts about a receiver that refused a delivery."""

    attempt: Annotated[int, Field(ge=1, le=2**31 - 1), INTEGER] | None = Field(
        default=None, description="Number of the attempt; by default, the last one.", examples=[1]
    )
    probe: bool = Field(
        default=False,
        description="Whether the receiver itself is asked. It gets up to some hundred requests: "
        "the delivery's event with fresh ids, signed as each known mistake would sign it. It may "
        "act on those that it accepts. Nothing of them is stored here.",
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


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations that explain signatures."""
    routes = Routes(app, leanbe, "Deliveries")
    signature = ModelBody(RefusedDelivery, is_required=False)

    @routes.add(
        "POST", "/deliveries/{reference}/explain", returns=deliveries.EXPLANATION, errors=WRITING
    )
    def explain_delivery(reference: str, body: Annotated[RefusedDelivery, signature]) -> Response:
        """Explain why a receiver refuses the signature of a delivery, and how to correct it.

        The explanation is about the body that was sent last, or by the `attempt`, under the
        assumptions of that request. It recognises old secrets of the product, and secrets of other
        products. Without `got`, a signature in the receiver's answer is explained by itself. With
        `probe`, the answers of the receiver tell its mistake, and no digest is needed.
        """
        explanation = leanbe.deliveries.get(reference).explain(
            attempt=body.attempt,
            got=body.got,
            hashed=body.hashed_bytes(),
            lang=body.lang,
            probe=body.probe,
        )
        return responses.one(explanation)

    @routes.add("POST", "/explain", returns=deliveries.EXPLANATION, errors=READING)
    def explain_body(refused: Annotated[RefusedRequest, ModelBody(RefusedRequest)]) -> Response:
        """Explain why the signature of a body does not match, and how to correct it.

        The explanation applies the given assumptions, and the article's for the rest. It
        recognises present and old secrets of this server's products.
        """
        explanation = explain(
            refused.body.encode(errors="surrogatepass"),
            refused.secret,
            got=refused.got,
            hashed=refused.hashed_bytes(),
            lang=refused.lang,
            other_secrets=leanbe.webhooks.secrets(),
            headers=list(refused.headers.items()),
            assume=refused.assumptions,
        )
        return responses.one(explanation)
