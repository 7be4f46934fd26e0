"""The steps by which a request was signed: the text, the secret, the digits, and their check."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from leanbe_emitter.errors import InvalidSignature
from leanbe_emitter.wire.assumptions.assumption_set import (
    AssumptionSet,
    SignatureLocation,
    SignatureScheme,
    SignedContent,
)
from leanbe_emitter.wire.explain.received_request import signed_text_of
from leanbe_emitter.wire.signing import sign_text

#: The assumptions that decide on a signature.
_OF_SIGNATURE: Final = (
    "signature_location",
    "signature_header",
    "signature_scheme",
    "signed_content",
)


class SigningSecret(StrEnum):
    """The secret that signed a request."""

    #: The secret that the webhook has now.
    CURRENT = "current"
    #: A former secret of the webhook.
    EARLIER = "earlier"
    #: None of the webhook's secrets.
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """The secrets of a webhook: the present one, and the former ones."""

    current: str = field(repr=False)
    earlier: Sequence[str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SignatureSteps:
    """How a request was signed, step by step.

    Attributes:
        signed_text: the text that was signed; None if the body is no envelope.
        scheme: the formula.
        content: which part of the body is signed.
        location: where the signature stands.
        secret: which secret signed the text; None without a signature.
        signature: the digits as sent; None if the request has none.
        verifies: whether a receiver that checks with the present secret accepts the request.
        fault: the fault of the attempt; None if there was none.
        assumptions: the assumptions on signatures that differ from the article.
    """

    signed_text: str | None
    scheme: SignatureScheme
    content: SignedContent
    location: SignatureLocation
    secret: SigningSecret | None
    signature: str | None
    verifies: bool
    fault: str | None
    assumptions: Mapping[str, str] = field(hash=False)

    def document(self) -> dict[str, Any]:
        """Return the steps as JSON."""
        return {
            "signedText": self.signed_text,
            "scheme": self.scheme.value,
            "content": self.content.value,
            "location": self.location.value,
            "secret": None if self.secret is None else self.secret.value,
            "signature": self.signature,
            "verifies": self.verifies,
            "fault": self.fault,
            "assumptions": dict(self.assumptions),
        }


def signature_steps(  # noqa: PLR0913 - a request, and what is known about it
    body: bytes,
    headers: Iterable[tuple[str, str]],
    *,
    unaltered: bytes,
    secrets: Secrets,
    assumptions: AssumptionSet,
    changed: Mapping[str, str],
    fault: str | None,
) -> SignatureSteps:
    """Return how a request was signed.

    Args:
        body: the body as sent.
        headers: the headers as sent.
        unaltered: the event's own body, from before a fault altered it.
        secrets: the webhook's secrets.
        assumptions: those of the request.
        changed: the assumptions of the request that differ from the article, as texts.
        fault: the fault of the attempt.
    """
    signature = _signature(body, headers, assumptions)
    sent = _text_of(body, assumptions)
    texts = [sent, _text_of(unaltered, assumptions)]
    secret, text = _signer(signature, texts, secrets, assumptions)
    return SignatureSteps(
        signed_text=text,
        scheme=assumptions.signature_scheme,
        content=assumptions.signed_content,
        location=assumptions.signature_location,
        secret=secret,
        signature=signature,
        verifies=secret is SigningSecret.CURRENT and text == sent,
        fault=fault,
        assumptions={name: changed[name] for name in _OF_SIGNATURE if name in changed},
    )


def _signer(
    signature: str | None, texts: Sequence[str | None], secrets: Secrets, assumptions: AssumptionSet
) -> tuple[SigningSecret | None, str | None]:
    """Return which secret signed which of these texts; the first text if none fits."""
    if signature is None:
        return None, texts[0]
    known = [(secrets.current, SigningSecret.CURRENT)]
    known += [(each, SigningSecret.EARLIER) for each in secrets.earlier]
    for text in dict.fromkeys(each for each in texts if each is not None):
        for secret, name in known:
            if sign_text(text, secret, scheme=assumptions.signature_scheme) == signature:
                return name, text
    return SigningSecret.OTHER, texts[0]


def _signature(
    body: bytes, headers: Iterable[tuple[str, str]], assumptions: AssumptionSet
) -> str | None:
    if assumptions.signature_location is SignatureLocation.HEADER:
        wanted = assumptions.signature_header.lower()
        return next((value for name, value in headers if name.lower() == wanted), None)
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = members.get("signature") if isinstance(members, dict) else None
    return found if isinstance(found, str) else None


def _text_of(body: bytes, assumptions: AssumptionSet) -> str | None:
    try:
        return signed_text_of(body, assumptions)
    except InvalidSignature:
        return None
