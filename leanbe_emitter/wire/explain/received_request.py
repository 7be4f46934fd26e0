"""A request as its receiver sees it, and the signature that the receiver should compute."""

import hashlib
import hmac
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
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
from leanbe_emitter.wire.explain.json_tree import Tree, is_like_a_list, nodes, tree_of
from leanbe_emitter.wire.signing import sign_text, to_utf8
from leanbe_emitter.wire.stringify import JSON, MAX_DEPTH, parse, stringify

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """A request as its receiver sees it, with the secret that the receiver should use.

    Attributes:
        body: the raw bytes.
        members: the body's members in their order.
        secret: the webhook's secret.
        signature: the signature that the request has, in the body or in a header.
        assumptions: those under which it was made.
        signed_text: the text that should be hashed.
        expected: the signature that the receiver should compute.
    """

    body: bytes = field(repr=False)
    members: dict[str, JSON] = field(repr=False)
    secret: str = field(repr=False)
    signature: str = field(repr=False)
    assumptions: AssumptionSet
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
        text = _signed_text(members, assumptions)
        return cls(
            body=bytes(body),
            members=members,
            secret=secret,
            signature=envelope.signature,
            assumptions=assumptions,
            signed_text=text,
            expected=sign_text(text, secret, scheme=assumptions.signature_scheme),
        )

    @cached_property
    def payload_text(self) -> str:
        """The stringified payload: under the article's assumptions, the text to hash."""
        return text_of(self.members["payload"])

    @cached_property
    def signed_bytes(self) -> bytes:
        """The bytes that should be hashed."""
        return to_utf8(self.signed_text)

    @cached_property
    def key(self) -> bytes:
        """The key that should be used."""
        return to_utf8(self.secret)

    @cached_property
    def tree(self) -> dict[str, Tree]:
        """The body's members, with each number as the body spells it."""
        return dict(tree_of(self.body.decode()))

    @cached_property
    def has_list_likes(self) -> bool:
        """Whether an object of the body could be a list in PHP."""
        return any(isinstance(node, dict) and is_like_a_list(node) for node in nodes(self.tree))

    @cached_property
    def has_escaped_surrogates(self) -> bool:
        """Whether the body spells halves of surrogate pairs."""
        return _SURROGATE.search(self.body) is not None

    @cached_property
    def has_slice(self) -> bool:
        """Whether the signed text is a slice of the body, as in any body that is compact."""
        if self.assumptions.signed_content is SignedContent.PAYLOAD:
            before, after = b'{"payload":', b',"event":'
            start, end = len(before), self.body.rfind(after)
            return self.body.startswith(before) and self.body[start:end] == self.signed_bytes
        is_in_header = self.assumptions.signature_location is SignatureLocation.HEADER
        end = self.body.rfind(b',"signature":')
        return (self.body if is_in_header else self.body[:end] + b"}") == self.signed_bytes

    def digest(self, content: bytes, key: bytes) -> bytes:
        """Return the digest of a content by the request's formula."""
        match self.assumptions.signature_scheme:
            case SignatureScheme.HMAC:
                return hmac.digest(key, content, "sha256")
            case SignatureScheme.SHA256_PAYLOAD_SECRET:
                return hashlib.sha256(content + key).digest()
            case SignatureScheme.SHA256_SECRET_PAYLOAD:
                return hashlib.sha256(key + content).digest()


def signed_text_of(body: bytes, assumptions: AssumptionSet) -> str:
    """Return the text that was signed for a body.

    Raises:
        InvalidSignature: the body is no envelope; it may lack a signature.
    """
    parse_envelope(body, signature="0" * 64)
    return _signed_text(parse(bytes(body).decode(), max_depth=MAX_DEPTH + 1), assumptions)


def _signed_text(members: dict[str, JSON], assumptions: AssumptionSet) -> str:
    signs_payload = assumptions.signed_content is SignedContent.PAYLOAD
    return text_of(members["payload"] if signs_payload else without_signature(members))


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
