"""A request as a receiver sees it, and what the receiver should compute from it."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from leanbe_emitter.errors import InvalidSignature
from leanbe_emitter.wire.assumptions.assumption_set import (
    ARTICLE,
    AssumptionSet,
    SignatureLocation,
    SignatureScheme,
    SignedContent,
)
from leanbe_emitter.wire.envelope import unverified
from leanbe_emitter.wire.signing import sign_text
from leanbe_emitter.wire.stringify import JSON, MAX_DEPTH, parse, stringify


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as a receiver sees it, and the secret that it should use.

    Attributes:
        body: the raw bytes.
        members: the members of the body, in its order.
        secret: the webhook's secret.
        signature: the one that it carries, where its reading has it.
        scheme: how text and secret become a signature.
        signed_text: the text that should be hashed.
        right: the hex digits that the receiver should compute.
    """

    body: bytes = field(repr=False)
    members: dict[str, JSON] = field(repr=False)
    secret: str = field(repr=False)
    signature: str = field(repr=False)
    scheme: SignatureScheme
    signed_text: str = field(repr=False)
    right: str = field(repr=False)

    @classmethod
    def of(
        cls,
        body: bytes,
        secret: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        assumptions: AssumptionSet = ARTICLE,
    ) -> Self:
        """Return the request of that body.

        Args:
            body: the raw bytes.
            secret: the webhook's secret.
            headers: of the request; asked only where the reading has the signature there.
            assumptions: which it was sent under.

        Raises:
            InvalidSignature: the body is no envelope, or the signature's header is missing.
        """
        is_beside = assumptions.signature_location is SignatureLocation.HEADER
        beside = _in_header(headers, assumptions.signature_header) if is_beside else None
        envelope = unverified(body, signature=beside)
        members = parse(bytes(body).decode(), max_depth=MAX_DEPTH + 1)
        signs_payload = assumptions.signed_content is SignedContent.PAYLOAD
        text = text_of(envelope.payload if signs_payload else without_signature(members))
        return cls(
            body=bytes(body),
            members=members,
            secret=secret,
            signature=envelope.signature,
            scheme=assumptions.signature_scheme,
            signed_text=text,
            right=sign_text(text, secret, scheme=assumptions.signature_scheme),
        )

    @property
    def payload_text(self) -> str:
        """The payload, stringified: by the article, what should be hashed."""
        return text_of(self.members["payload"])


def text_of(document: JSON) -> str:
    """Return a part of a body, stringified."""
    # The body came in, so that its size and depth are settled; an envelope is one level deeper.
    return stringify(document, max_depth=MAX_DEPTH + 1, max_bytes=sys.maxsize)


def _in_header(headers: Iterable[tuple[str, str]], wanted: str) -> str:
    for name, value in headers:
        if name.lower() == wanted.lower():
            return value
    raise InvalidSignature(
        f"The request has no header {wanted}.", hint="The signature was to stand there."
    )


def without_signature(members: dict[str, JSON]) -> dict[str, JSON]:
    """Return the members of a body, less its signature."""
    return {name: value for name, value in members.items() if name != "signature"}
