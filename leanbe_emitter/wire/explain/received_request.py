"""A request as its receiver sees it, and the signature that the receiver should compute."""

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
from leanbe_emitter.wire.envelope import parse_envelope
from leanbe_emitter.wire.signing import sign_text
from leanbe_emitter.wire.stringify import JSON, MAX_DEPTH, parse, stringify


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """A request as its receiver sees it, with the secret that the receiver should use.

    Attributes:
        body: the raw bytes.
        members: the body's members in their order.
        secret: the webhook's secret.
        signature: the signature that the request has, in the body or in a header.
        scheme: the formula of the signature.
        signed_text: the text that should be hashed.
        expected: the signature that the receiver should compute.
    """

    body: bytes = field(repr=False)
    members: dict[str, JSON] = field(repr=False)
    secret: str = field(repr=False)
    signature: str = field(repr=False)
    scheme: SignatureScheme
    signed_text: str = field(repr=False)
    expected: str = field(repr=False)

    @classmethod
    def of(
        cls,
        body: bytes,
        secret: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        assumptions: AssumptionSet = ARTICLE,
    ) -> Self:
        """Parse a request.

        Args:
            body: the raw bytes.
            secret: the webhook's secret.
            headers: the request's headers; used only if an assumption puts the signature there.
            assumptions: the request's.

        Raises:
            InvalidSignature: the body is no envelope, or the header of the signature is missing.
        """
        is_in_header = assumptions.signature_location is SignatureLocation.HEADER
        from_header = _in_header(headers, assumptions.signature_header) if is_in_header else None
        envelope = parse_envelope(body, signature=from_header)
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
            expected=sign_text(text, secret, scheme=assumptions.signature_scheme),
        )

    @property
    def payload_text(self) -> str:
        """The stringified payload: under the article's assumptions, the text to hash."""
        return text_of(self.members["payload"])


def text_of(document: JSON) -> str:
    """Return the stringified text of a part of a body."""
    # Parsing has checked size and depth. An envelope is one level deeper than a payload.
    return stringify(document, max_depth=MAX_DEPTH + 1, max_bytes=sys.maxsize)


def _in_header(headers: Iterable[tuple[str, str]], wanted: str) -> str:
    for name, value in headers:
        if name.lower() == wanted.lower():
            return value
    raise InvalidSignature(
        f"The request has no header {wanted}.", hint="The signature should be there."
    )


def without_signature(members: dict[str, JSON]) -> dict[str, JSON]:
    """Return the members of a body without its signature."""
    return {name: value for name, value in members.items() if name != "signature"}
