"""Mistakes under assumptions that change how a request is signed (contract d-1 to d-3).

Invariant: under the article's assumptions, the mistakes are the usual ones.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, SignatureLocation
from leanbe_emitter.wire.assumptions.parsing import computing_assumptions
from leanbe_emitter.wire.explain.mistakes import Mistake, PlaceMistake, Saying
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.explain.repairs import (
    READ_FROM_BODY,
    read_from_body_or_header,
    read_from_header,
)
from leanbe_emitter.wire.signing import to_utf8


@dataclass(frozen=True, kw_only=True)
class AssumptionIgnored(Mistake):
    """The article's formula is computed, where an assumption asks for another one."""

    def computes(self, request: ReceivedRequest) -> Iterator[str]:
        """Yield the article's signature."""
        yield hmac.digest(request.key, to_utf8(request.payload_text), "sha256").hex()

    def saying(self, request: ReceivedRequest, value: bytes) -> Saying:  # noqa: ARG002 - the same for all
        """Return the words, with the assumptions."""
        assumed = computing_assumptions(request.assumptions)
        return Saying(
            verb="compute",
            object="the article's formula",
            advice=f"The request was signed under {assumed}.",
        )


ASSUMPTION_IGNORED = AssumptionIgnored(name="assumption-ignored")


def wrong_place(assumptions: AssumptionSet) -> PlaceMistake:
    """Return the mistake of looking for the signature in the wrong place."""
    name = assumptions.signature_header
    match assumptions.signature_location:
        case SignatureLocation.BODY:
            return PlaceMistake(
                name="header-expected",
                words=Saying(
                    verb="expect",
                    object="the signature in a header",
                    advice="It is in the body, beside the payload.",
                ),
                repair=READ_FROM_BODY,
            )
        case SignatureLocation.HEADER:
            return PlaceMistake(
                name="body-expected",
                words=Saying(
                    verb="expect",
                    object="the signature elsewhere",
                    advice=f"It is in the header {name}.",
                ),
                repair=read_from_header(name),
            )
        case SignatureLocation.BOTH:
            return PlaceMistake(
                name="place-missed",
                words=Saying(
                    verb="expect",
                    object="the signature elsewhere",
                    advice=f"It is in the body, beside the payload, and in the header {name}.",
                ),
                repair=read_from_body_or_header(name),
            )
