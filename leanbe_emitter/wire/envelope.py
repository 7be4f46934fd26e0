"""The envelope: the body of a request. ``seal`` makes it, and ``verify`` checks it.

Invariant: the body holds the payload's text exactly as it was signed. Nothing parses and rewrites
the payload; ``seal`` puts the envelope around it by concatenation (contract a.1, d-1 to d-5).
"""

import hmac
import re
import sys
from dataclasses import dataclass, field
from datetime import datetime

from leanbe_emitter.errors import InvalidSignature, InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import (
    ARTICLE,
    AssumptionSet,
    SignatureLocation,
    SignedContent,
)
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.signing import sign_text, signer, to_utf8
from leanbe_emitter.wire.stringify import JSON, MAX_DEPTH, parse, stringify

#: The form of a signature.
SIGNATURE = re.compile("[0-9a-f]{64}")

_START = '{"payload":'
_END = ',"event":"'
_INDENT = "  "
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|\{\}|\[\]|[{}\[\]:,]|[^"{}\[\]:,]+')
_STRING_OR_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|[ \n]+')


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A verified request body.

    The signature covers the payload alone: anybody with an old body can change ``event`` and
    ``triggered_at``, and the body still verifies. The article's formula works that way.

    Attributes:
        payload: the event's document.
        event: the event's name, as sent.
        triggered_at: the text of ``triggeredAt``, as sent.
        signature: the 64 hex digits, as sent.
    """

    payload: JSON
    event: str
    triggered_at: str
    signature: str


@dataclass(kw_only=True, slots=True)
class SealedRequest:
    """A finished request: its bytes are stored with the event and sent unchanged.

    Attributes:
        body: the request's body as text; its UTF-8 is sent.
        headers: the content type and, depending on the assumptions, the signature (contract d-1).
        signature: its hex digits, from body or header; None without a secret.
    """

    body: str = field(repr=False)
    headers: tuple[tuple[str, str], ...]
    signature: str | None


def verify(body: bytes, secret: str) -> Envelope:
    """Verify a request's body by the article's formula, and return its members.

    The comparison takes constant time. ``event`` and ``triggeredAt`` are not signed: do not base a
    permission on them.

    Args:
        body: the request's body as it arrived, with any content.
        secret: the secret of the product's webhook settings.

    Raises:
        InvalidSignature: the body does not verify; the message says why. No other error is raised.
    """
    envelope = parse_envelope(body)
    _check_signature(envelope, secret)
    return envelope


def parse_envelope(body: bytes, *, signature: str | None = None) -> Envelope:
    """Return the members of a body without a check of its signature.

    Args:
        body: the request's body as it arrived.
        signature: a signature from a header (contract d-1); None if it is in the body.

    Raises:
        InvalidSignature: the body is no envelope; the message says why.
    """
    document = _document(_decoded(body))
    if signature is not None:
        document["signature"] = signature
    _require_members(document)
    return Envelope(
        payload=document["payload"],
        event=document["event"],
        triggered_at=document["triggeredAt"],
        signature=document["signature"],
    )


def seal(
    payload_text: str,
    *,
    event: str,
    triggered_at: datetime,
    secret: str | None,
    assumptions: AssumptionSet = ARTICLE,
) -> SealedRequest:
    """Put a payload's text into an envelope and sign it (contract a.1, d-1 to d-5, d-25).

    Args:
        payload_text: the result of ``stringify``; a compact body holds it unchanged.
        event: the event's name.
        triggered_at: an aware datetime.
        secret: None for a product that never had a URL; then the request has no signature.
        assumptions: decide on formula and place of the signature, format of the time, and white
            space.
    """
    sealer = Sealer(event=event, secret=secret, assumptions=assumptions)
    return sealer.seal(payload_text, print_instant(triggered_at, assumptions.triggered_at))


class Sealer:
    """Seals many payloads with the same event name, secret and assumptions."""

    def __init__(self, *, event: str, secret: str | None, assumptions: AssumptionSet) -> None:
        self._behind_payload = f',"event":{stringify(event)},"triggeredAt":"'
        self._assumptions = assumptions
        self._signer = None if secret is None else signer(secret, assumptions.signature_scheme)
        self._signs_payload = assumptions.signed_content is SignedContent.PAYLOAD
        self._is_in_body = assumptions.signature_location is not SignatureLocation.HEADER
        self._content_type = ("Content-Type", assumptions.content_type)
        #: The headers if they do not depend on the payload; else None.
        self.headers = (
            (self._content_type,)
            if secret is None or assumptions.signature_location is SignatureLocation.BODY
            else None
        )

    def seal(self, payload_text: str, triggered_at: str) -> SealedRequest:
        """Put a payload's text into an envelope; ``triggered_at`` is the printed instant."""
        unsigned = f'{_START}{payload_text}{self._behind_payload}{triggered_at}"'
        signed = payload_text if self._signs_payload else unsigned + "}"
        signature = None if self._signer is None else self._signer(signed)
        is_in_body = signature is not None and self._is_in_body
        body = f'{unsigned},"signature":"{signature}"}}' if is_in_body else unsigned + "}"
        return SealedRequest(
            body=_indented(body) if self._assumptions.pretty_body else body,
            headers=self.headers or self._with_signature(signature),
            signature=signature,
        )

    def _with_signature(self, signature: str | None) -> tuple[tuple[str, str], ...]:
        if signature is None:
            return (self._content_type,)
        return (self._content_type, (self._assumptions.signature_header, signature))


def payload_text_of(body: str) -> str:
    """Return the exact, compact text of the payload in a body that ``seal`` made.

    Raises:
        InvalidValue: ``seal`` did not make the body.
    """
    compact = body if body.startswith(_START) else _STRING_OR_SPACE.sub(r"\1", body)
    # Strings escape their quotes, and no object follows the event's name. So the last member of
    # this name is the envelope's, for any payload.
    end = compact.rfind(_END)
    if end < 0 or not compact.startswith(_START):
        raise InvalidValue("This body is not an envelope that leanbe-emitter sealed.")
    return compact[len(_START) : end]


def with_payload(body: str, payload_text: str) -> str:
    """Return a body of ``seal`` with another payload, and with all other members unchanged.

    Raises:
        InvalidValue: ``seal`` did not make the body.
    """
    compact = body if body.startswith(_START) else _STRING_OR_SPACE.sub(r"\1", body)
    behind = compact[len(_START) + len(payload_text_of(body)) :]
    altered = f"{_START}{payload_text}{behind}"
    return altered if compact is body else _indented(altered)


def _indented(compact: str) -> str:
    """Return compact JSON as ``JSON.stringify(value, null, 2)`` writes it."""
    pieces: list[str] = []
    depth = 0
    for part in _PART.findall(compact):
        if part in ("{", "["):
            depth += 1
            pieces += (part, "\n", _INDENT * depth)
        elif part in ("}", "]"):
            depth -= 1
            pieces += ("\n", _INDENT * depth, part)
        elif part == ",":
            pieces += (part, "\n", _INDENT * depth)
        else:
            pieces.append(": " if part == ":" else part)
    return "".join(pieces)


def _decoded(body: object) -> str:
    if not isinstance(body, bytes | bytearray | memoryview):
        raise InvalidSignature(
            f"The body is of type {type(body).__name__}, not bytes.",
            hint="Pass the request's body as it arrived, before anything parses it.",
        )
    raw = bytes(body)
    if raw.startswith(_BYTE_ORDER_MARK):
        raise InvalidSignature("The body starts with a byte order mark, which is not JSON.")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidSignature(f"The body is not UTF-8: byte {error.start} is wrong.") from None


def _document(text: str) -> dict[str, JSON]:
    try:
        document = parse(text, max_depth=MAX_DEPTH + 1)  # the envelope is one level more
    except InvalidValue as error:
        raise InvalidSignature(f"The body is refused. {error.message}", hint=error.hint) from None
    if not isinstance(document, dict):
        raise InvalidSignature(f"The body is {_kind(document)}, not a JSON object.")
    return document


def _require_members(document: dict[str, JSON]) -> None:
    for name in ("payload", "event", "triggeredAt", "signature"):
        if name not in document:
            raise InvalidSignature(
                f"The body has no member {name!r}.",
                hint="An envelope has payload, event, triggeredAt and signature.",
            )
    for name in ("event", "triggeredAt", "signature"):
        if not isinstance(document[name], str):
            raise InvalidSignature(f"The member {name!r} is {_kind(document[name])}, not text.")


def _check_signature(envelope: Envelope, secret: object) -> None:
    if not isinstance(secret, str) or not secret:
        raise InvalidSignature(
            "There is no secret to verify with.",
            hint="Check where the program reads it: with an empty secret, anybody can sign.",
        )
    text = stringify(envelope.payload, max_bytes=sys.maxsize)  # a body that arrived may be long
    expected = sign_text(text, secret)
    if not _are_equal(expected, envelope.signature):
        raise signature_error(envelope.signature, expected)


def _are_equal(one: str, other: str) -> bool:
    # As bytes, because compare_digest raises a TypeError for text that is not ASCII.
    return hmac.compare_digest(to_utf8(one), to_utf8(other))


def signature_error(found: str, expected: str) -> InvalidSignature:
    """Return the error for a wrong signature; it does not show the expected one."""
    if _are_equal(found.lower(), expected):
        return InvalidSignature(
            "The signature is in upper case.",
            hint="Leanbe's signature is lower-case hex: change the sender.",
        )
    if not SIGNATURE.fullmatch(found):
        return InvalidSignature(
            f"The signature, of {len(found)} characters, is not 64 lower-case hex digits."
        )
    return InvalidSignature(
        "The signature does not fit the payload.",
        hint="The payload was changed after it was signed, or another secret signed it.",
    )


def _kind(value: JSON) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
    return "an array" if isinstance(value, list) else "an object"
