"""Why a body does not verify, or why a receiver computed something else than its signature.

Invariant: a mistake is named only if it gives the very digits in question. Where none does, that
is what is said.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from leanbe_emitter.errors import InvalidSignature, InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, SignatureLocation
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import refusal_of
from leanbe_emitter.wire.explain.mistakes import SPELLINGS, Mistake, other_secret
from leanbe_emitter.wire.explain.other_signings import mistakes_under, place_missed, told
from leanbe_emitter.wire.explain.received_request import Received
from leanbe_emitter.wire.signing import to_utf8
from leanbe_emitter.wire.stringify import JSON

_HEX = re.compile("[0-9a-fA-F]+")
_HEX_DIGEST = re.compile("[0-9a-fA-F]{64}")
#: Other hashes, by how many hex digits they have.
_OTHER_HASHES = {32: "MD5", 40: "SHA-1", 56: "SHA-224", 96: "SHA-384", 128: "SHA-512"}


class Verdict(StrEnum):
    """What an explanation comes to."""

    #: The body itself is wrong: no envelope, or its signature is not that of payload and secret.
    BODY_UNSOUND = "body-unsound"
    #: The body verifies, and what the receiver computed comes of a known mistake.
    MISTAKE_FOUND = "mistake-found"
    #: The body verifies, and no known mistake gives what the receiver computed.
    NONE_FITS = "none-fits"
    #: The body verifies, and it was not said what the receiver computed.
    BODY_SOUND = "body-sound"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A mistake, and what a receiver that makes it may compute from this request.

    Attributes:
        mistake: what the receiver does, and its repair.
        signatures: the digits in question; empty for the mistake that computes nothing, which is
            to look for the signature where it does not stand.
    """

    mistake: Mistake
    signatures: tuple[str, ...]

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "name": self.mistake.name,
            "what": self.mistake.what,
            "signatures": list(self.signatures),
            "javascript": self.mistake.fix_javascript,
            "python": self.mistake.fix_python,
        }


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What ``explain`` found.

    Attributes:
        verdict: what it comes to.
        summary: the same in a sentence.
        hint: what to do; empty where the mistakes say it.
        mistakes: the one that explains it, or two that do together (raw body hashed, in base64);
            of an unsound body, what its sender did. For a sound body the usual ones, the most
            usual first.
    """

    verdict: Verdict
    summary: str
    hint: str = ""
    mistakes: tuple[Candidate, ...] = ()

    @property
    def explained(self) -> bool:
        """Whether a cause was found: of the body's being refused, or of what was computed."""
        return self.verdict in {Verdict.BODY_UNSOUND, Verdict.MISTAKE_FOUND}

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "verdict": self.verdict.value,
            "summary": self.summary,
            "hint": self.hint,
            "mistakes": [each.document() for each in self.mistakes],
        }


def explain(  # noqa: PLR0913 - a request, what was computed from it, and what is known beside
    body: bytes,
    secret: str,
    *,
    got: str | None = None,
    other_secrets: Iterable[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = (),
    assume: Mapping[str, str] | None = None,
) -> Explanation:
    """Say what is wrong with a body or, with ``got``, with the receiver that computed it.

    Args:
        body: the request's body as it was sent.
        secret: the secret that it should be signed with.
        got: what the receiver computed; also what it found where it looked for the signature
            (nothing, ``undefined``).
        other_secrets: what they are (``the secret of Acme``) and secrets that may have been
            mistaken for the right one: of other products, or this one's before a rotation.
        headers: of the request; asked only where an assumption has the signature there.
        assume: the assumptions that the request was made under (contract d); where they sign
            otherwise than the article, the summary says so.

    Raises:
        InvalidValue: the secret is empty, an assumption is refused, or the signature stands in a
            header, and none was given.
    """
    assumptions = parse_assumptions(assume or {})
    if not secret:
        raise InvalidValue("There is no secret to explain with.", hint="Give the webhook's secret.")
    if not headers:
        _require_signature_in_body(assumptions)
    others = (other_secret(label, other) for label, other in other_secrets)
    mistakes = (*mistakes_under(assumptions), *others)
    digits = None if got is None else got.strip()
    try:
        request = Received.of(body, secret, headers=headers, assumptions=assumptions)
    except InvalidSignature as refusal:
        found = _unsound(refusal)
    else:
        found = _explained(request, digits, mistakes, missed=place_missed(assumptions))
    return replace(found, summary=f"{found.summary} {told(assumptions)}".rstrip())


def _require_signature_in_body(assumptions: AssumptionSet) -> None:
    if assumptions.signature_location is SignatureLocation.HEADER:
        raise InvalidValue(
            f"The signature stands in the header {assumptions.signature_header}, and no header was "
            "given.",
            hint="Give that header of the request, too.",
        )


def _explained(
    request: Received, got: str | None, mistakes: tuple[Mistake, ...], *, missed: Mistake
) -> Explanation:
    if request.signature != request.right:
        refusal = refusal_of(request.signature, request.right)
        return _foreign_signature(request, refusal, got=got, mistakes=mistakes)
    if got is None:
        return _usual(request, mistakes, missed=missed)
    return _computed(request, got, mistakes, missed=missed)


def _unsound(refusal: InvalidSignature) -> Explanation:
    return Explanation(
        verdict=Verdict.BODY_UNSOUND,
        summary=refusal.message,
        hint=refusal.hint or "Look at what sent this body, or changed it on its way.",
    )


def _foreign_signature(
    request: Received, refusal: InvalidSignature, *, got: str | None, mistakes: tuple[Mistake, ...]
) -> Explanation:
    """Explain a body whose signature is not the one that its payload and the secret give."""
    if got == request.right:
        return _receiver_right(_causes(request, request.signature, mistakes))
    if got is not None and (causes := _causes(request, got, mistakes)):
        return Explanation(
            verdict=Verdict.MISTAKE_FOUND,
            summary="The receiver computes what comes of a known mistake.",
            hint=f"The body is wrong, too. {refusal}",
            mistakes=causes,
        )
    return replace(_unsound(refusal), mistakes=_causes(request, request.signature, mistakes))


def _receiver_right(causes: tuple[Candidate, ...]) -> Explanation:
    """Explain a body that carries another signature than the right one, which was computed."""
    return Explanation(
        verdict=Verdict.BODY_UNSOUND,
        summary="The receiver computes what it should with this secret; the body carries another "
        "signature.",
        hint="The receiver is right: look at what signed the body."
        if causes
        else "Another secret signed it, one that is not known here (after a rotation, bodies keep "
        "their old signatures), or the payload was altered afterwards.",
        mistakes=causes,
    )


def _usual(request: Received, mistakes: tuple[Mistake, ...], *, missed: Mistake) -> Explanation:
    return Explanation(
        verdict=Verdict.BODY_SOUND,
        summary="The body verifies with this secret.",
        hint="Look up below what the receiver computed, or give it: then its mistake is named.",
        mistakes=(
            *_candidates(request, (*mistakes, *SPELLINGS)),
            Candidate(mistake=missed, signatures=()),
        ),
    )


def _candidates(request: Received, mistakes: tuple[Mistake, ...]) -> Iterator[Candidate]:
    """Yield each mistake that shows in this request, with digits that none before it gives."""
    seen = {request.right}
    for mistake in mistakes:
        signatures = tuple(dict.fromkeys(each for each in mistake.computes(request)))
        if new := tuple(each for each in signatures if each not in seen):
            yield Candidate(mistake=mistake, signatures=new)
        seen.update(new)


def _computed(
    request: Received, got: str, mistakes: tuple[Mistake, ...], *, missed: Mistake
) -> Explanation:
    """Explain what a receiver computed from a body that verifies."""
    if got in missed.computes(request):
        return Explanation(
            verdict=Verdict.MISTAKE_FOUND,
            summary="The receiver computes what it should, and compares it with something else."
            if got == request.right
            else "The receiver found no signature where it looked for one.",
            mistakes=(Candidate(mistake=missed, signatures=()),),
        )
    if causes := _causes(request, got, mistakes):
        return Explanation(
            verdict=Verdict.MISTAKE_FOUND,
            summary="The receiver computes what comes of a known mistake.",
            mistakes=causes,
        )
    return Explanation(
        verdict=Verdict.NONE_FITS,
        summary="No known mistake gives this from that body and secret.",
        hint=_clue(request, got),
    )


def _causes(request: Received, digits: str, mistakes: tuple[Mistake, ...]) -> tuple[Candidate, ...]:
    """Return the mistake that gives these digits, or two that give them together, or none.

    What gives the right digits is no mistake here, however it comes to them.
    """
    if digits == request.right:
        return ()
    for mistake in (*SPELLINGS, *mistakes):
        if digits in mistake.computes(request):
            return (Candidate(mistake=mistake, signatures=(digits,)),)
    for mistake, right in ((each, right) for each in mistakes for right in each.computes(request)):
        for spelling in SPELLINGS:
            if digits in spelling.computes(replace(request, right=right)):
                return (
                    Candidate(mistake=mistake, signatures=(right,)),
                    Candidate(mistake=spelling, signatures=(digits,)),
                )
    return ()


def _clue(request: Received, got: str) -> str:
    if not _HEX_DIGEST.fullmatch(got):
        return f"A signature has 64 hex digits; this is {_length_of(got)}."
    text = to_utf8(request.signed_text)
    return (
        "Look at the receiver's secret first: most often it is another one than this. Then compare "
        f"what it hashes: it should be {len(text)} bytes, of which the plain SHA-256 is "
        f"{hashlib.sha256(text).hexdigest()}."
    )


def _length_of(got: str) -> str:
    length = f"a text of {len(got)} characters"
    other = _OTHER_HASHES.get(len(got)) if _HEX.fullmatch(got) else None
    return length if other is None else f"{length}, as many as {other} has: use SHA-256"
