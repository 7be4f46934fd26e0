"""Explain why a body does not verify, or why a receiver computes a different signature.

Invariant: an explanation names a mistake only if that mistake gives the very digits in question.
If no known mistake gives them, the explanation says so.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from leanbe_emitter.errors import InvalidSignature, InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, SignatureLocation
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import signature_error
from leanbe_emitter.wire.explain.assumption_mistakes import (
    assumptions_note,
    mistakes_under,
    wrong_place,
)
from leanbe_emitter.wire.explain.mistakes import DIGEST_FORMS, Mistake, other_secret
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.signing import to_utf8
from leanbe_emitter.wire.stringify import JSON

_HEX = re.compile("[0-9a-fA-F]+")
_HEX_DIGEST = re.compile("[0-9a-fA-F]{64}")
#: Other hash functions by their number of hex digits.
_OTHER_HASHES = {32: "MD5", 40: "SHA-1", 56: "SHA-224", 96: "SHA-384", 128: "SHA-512"}


class Verdict(StrEnum):
    """The result of an explanation."""

    #: The body is wrong: it is no envelope, or its signature does not fit payload and secret.
    BODY_UNSOUND = "body-unsound"
    #: The body verifies, and a known mistake gives what the receiver computed.
    MISTAKE_FOUND = "mistake-found"
    #: The body verifies, and no known mistake gives what the receiver computed.
    NONE_FITS = "none-fits"
    #: The body verifies, and nobody gave what the receiver computed.
    BODY_SOUND = "body-sound"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A mistake, and the signatures that a receiver with this mistake computes from this request.

    Attributes:
        mistake: the mistake and its repair.
        signatures: the signatures that it gives; empty for a receiver that looks for the signature
            in the wrong place, because it computes nothing.
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
    """The result of ``explain``.

    Attributes:
        verdict: the result as a word for programs.
        summary: the result as a sentence.
        hint: what to do; empty if the mistakes say it.
        mistakes: the mistake that explains the digits, or two mistakes that explain them together
            (raw body hashed, written in base64). For a wrong body, the mistake of its sender. If
            the body verifies and ``got`` is missing: every mistake that shows, common ones first.
    """

    verdict: Verdict
    summary: str
    hint: str = ""
    mistakes: tuple[Candidate, ...] = ()

    @property
    def explained(self) -> bool:
        """Whether a cause was found: for a wrong body, or for a wrong computation."""
        return self.verdict in {Verdict.BODY_UNSOUND, Verdict.MISTAKE_FOUND}

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "verdict": self.verdict.value,
            "summary": self.summary,
            "hint": self.hint,
            "mistakes": [each.document() for each in self.mistakes],
        }


def explain(  # noqa: PLR0913 - a request, what was computed from it, and what else is known
    body: bytes,
    secret: str,
    *,
    got: str | None = None,
    other_secrets: Iterable[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = (),
    assume: Mapping[str, str] | None = None,
) -> Explanation:
    """Explain what is wrong with a body or, given ``got``, with the receiver that computed it.

    Args:
        body: the request's body as it was sent.
        secret: the secret that should sign it.
        got: the signature that the receiver computed, or the text that it found in the place of
            the signature (an empty text, ``undefined``).
        other_secrets: pairs of a label (``the secret of Acme``) and a secret that somebody may have
            used by mistake: of another product, or of this one before a rotation.
        headers: the request's headers; needed only if an assumption puts the signature there.
        assume: the assumptions of the request. If they change how a request is signed, the summary
            names them.

    Raises:
        InvalidValue: the secret is empty, an assumption is refused, or the signature is in a header
            and no header was given.
    """
    assumptions = parse_assumptions(assume or {})
    if not secret:
        raise InvalidValue("The secret is empty.", hint="Give the webhook's secret.")
    if not headers:
        _require_signature_in_body(assumptions)
    others = (other_secret(label, other) for label, other in other_secrets)
    mistakes = (*mistakes_under(assumptions), *others)
    digits = None if got is None else got.strip()
    try:
        request = ReceivedRequest.of(body, secret, headers=headers, assumptions=assumptions)
    except InvalidSignature as refusal:
        found = _wrong_body(refusal)
    else:
        found = _explain(request, digits, mistakes, misplaced=wrong_place(assumptions))
    return replace(found, summary=f"{found.summary} {assumptions_note(assumptions)}".rstrip())


def _require_signature_in_body(assumptions: AssumptionSet) -> None:
    if assumptions.signature_location is SignatureLocation.HEADER:
        raise InvalidValue(
            f"The signature is in the header {assumptions.signature_header}, and no header was "
            "given.",
            hint="Give this header of the request, too.",
        )


def _explain(
    request: ReceivedRequest, got: str | None, mistakes: tuple[Mistake, ...], *, misplaced: Mistake
) -> Explanation:
    if request.signature != request.expected:
        refusal = signature_error(request.signature, request.expected)
        return _wrong_signature(request, refusal, got=got, mistakes=mistakes)
    if got is None:
        return _possible_mistakes(request, mistakes, misplaced=misplaced)
    return _wrong_computation(request, got, mistakes, misplaced=misplaced)


def _wrong_body(refusal: InvalidSignature) -> Explanation:
    return Explanation(
        verdict=Verdict.BODY_UNSOUND,
        summary=refusal.message,
        hint=refusal.hint or "Look at the sender of this body, or at what changed it on its way.",
    )


def _wrong_signature(
    request: ReceivedRequest,
    refusal: InvalidSignature,
    *,
    got: str | None,
    mistakes: tuple[Mistake, ...],
) -> Explanation:
    """Explain a body whose signature does not fit its payload and the secret."""
    if got == request.expected:
        return _right_receiver(_causes(request, request.signature, mistakes))
    if got is not None and (causes := _causes(request, got, mistakes)):
        return Explanation(
            verdict=Verdict.MISTAKE_FOUND,
            summary="The receiver makes a known mistake.",
            hint=f"The body is wrong, too. {refusal}",
            mistakes=causes,
        )
    return replace(_wrong_body(refusal), mistakes=_causes(request, request.signature, mistakes))


def _right_receiver(causes: tuple[Candidate, ...]) -> Explanation:
    """Explain a body with a wrong signature, when the receiver computed the right one."""
    return Explanation(
        verdict=Verdict.BODY_UNSOUND,
        summary="The receiver computes the right signature for this secret; the body has a "
        "different one.",
        hint="The receiver is right: look at the sender of the body."
        if causes
        else "A secret that is not known here signed it (after a rotation, bodies keep their old "
        "signatures), or the payload was changed after it was signed.",
        mistakes=causes,
    )


def _possible_mistakes(
    request: ReceivedRequest, mistakes: tuple[Mistake, ...], *, misplaced: Mistake
) -> Explanation:
    return Explanation(
        verdict=Verdict.BODY_SOUND,
        summary="The body verifies with this secret.",
        hint="Find what the receiver computed in the list below, or give it to explain.",
        mistakes=(
            *_candidates(request, (*mistakes, *DIGEST_FORMS)),
            Candidate(mistake=misplaced, signatures=()),
        ),
    )


def _candidates(request: ReceivedRequest, mistakes: tuple[Mistake, ...]) -> Iterator[Candidate]:
    """Yield each mistake that shows in this request, with the signatures that only it gives."""
    seen = {request.expected}
    for mistake in mistakes:
        signatures = tuple(dict.fromkeys(each for each in mistake.computes(request)))
        if new := tuple(each for each in signatures if each not in seen):
            yield Candidate(mistake=mistake, signatures=new)
        seen.update(new)


def _wrong_computation(
    request: ReceivedRequest, got: str, mistakes: tuple[Mistake, ...], *, misplaced: Mistake
) -> Explanation:
    """Explain what a receiver computed from a body that verifies."""
    if got in misplaced.computes(request):
        return Explanation(
            verdict=Verdict.MISTAKE_FOUND,
            summary="The receiver computes the right signature and compares it with another text."
            if got == request.expected
            else "The receiver looks for the signature in the wrong place.",
            mistakes=(Candidate(mistake=misplaced, signatures=()),),
        )
    if causes := _causes(request, got, mistakes):
        return Explanation(
            verdict=Verdict.MISTAKE_FOUND,
            summary="The receiver makes a known mistake.",
            mistakes=causes,
        )
    return Explanation(
        verdict=Verdict.NONE_FITS,
        summary="No known mistake gives this signature for this body and secret.",
        hint=_clue(request, got),
    )


def _causes(
    request: ReceivedRequest, digits: str, mistakes: tuple[Mistake, ...]
) -> tuple[Candidate, ...]:
    """Return the mistake that gives these digits, or two that give them together, or nothing.

    The right digits have no cause, even if a mistake happens to give them.
    """
    if digits == request.expected:
        return ()
    for mistake in (*DIGEST_FORMS, *mistakes):
        if digits in mistake.computes(request):
            return (Candidate(mistake=mistake, signatures=(digits,)),)
    for mistake, right in ((each, right) for each in mistakes for right in each.computes(request)):
        for spelling in DIGEST_FORMS:
            if digits in spelling.computes(replace(request, expected=right)):
                return (
                    Candidate(mistake=mistake, signatures=(right,)),
                    Candidate(mistake=spelling, signatures=(digits,)),
                )
    return ()


def _clue(request: ReceivedRequest, got: str) -> str:
    if not _HEX_DIGEST.fullmatch(got):
        return f"A signature has 64 hex digits; this is {_length_of(got)}."
    text = to_utf8(request.signed_text)
    return (
        "Check the receiver's secret first: in most cases it differs from this one. Then compare "
        f"the bytes that it hashes: it should hash {len(text)} bytes, whose plain SHA-256 is "
        f"{hashlib.sha256(text).hexdigest()}."
    )


def _length_of(got: str) -> str:
    length = f"a text of {len(got)} characters"
    other = _OTHER_HASHES.get(len(got)) if _HEX.fullmatch(got) else None
    return length if other is None else f"{length}, the length of {other}: use SHA-256"
