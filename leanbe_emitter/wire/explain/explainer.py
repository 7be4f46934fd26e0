"""Explain why a body does not verify, or why a receiver computes a different signature.

Invariant: an explanation names a mistake only if that mistake gives the very digits in question.
If no known mistake gives them, the explanation says so.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from leanbe_emitter.errors import InvalidSignature, InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, SignatureLocation
from leanbe_emitter.wire.assumptions.parsing import assumptions_note, parse_assumptions
from leanbe_emitter.wire.envelope import signature_error
from leanbe_emitter.wire.explain.answer_digests import digests_in
from leanbe_emitter.wire.explain.candidates import Candidate, Teller
from leanbe_emitter.wire.explain.differences import Difference, first_difference
from leanbe_emitter.wire.explain.digest_mistakes import SPELLINGS, wrong_place
from leanbe_emitter.wire.explain.key_mistakes import KEYS, other_secret
from leanbe_emitter.wire.explain.languages import language_named
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.explain.search import Search
from leanbe_emitter.wire.stringify import JSON

_HEX = re.compile("[0-9a-fA-F]+")
_HEX_DIGEST = re.compile("[0-9a-fA-F]{64}")
#: Other hash functions by their number of hex digits.
_OTHER_HASHES = {32: "MD5", 40: "SHA-1", 56: "SHA-224", 96: "SHA-384", 128: "SHA-512"}


class Verdict(StrEnum):
    """The result of an explanation."""

    #: The body is wrong: it is no envelope, or its signature does not fit payload and secret.
    BODY_UNSOUND = "body-unsound"
    #: The body verifies, and a known mistake gives what the receiver computed or hashed.
    MISTAKE_FOUND = "mistake-found"
    #: The body verifies, and the receiver hashed another text, by no known mistake.
    TEXT_DIFFERS = "text-differs"
    #: The body verifies, and no known mistake gives what the receiver computed or accepts.
    NONE_FITS = "none-fits"
    #: The body verifies, and the receiver hashed the right text.
    TEXT_RIGHT = "text-right"
    #: The body verifies, and nobody gave what the receiver computed.
    BODY_SOUND = "body-sound"
    #: A probe found the mistake: the receiver accepts what this mistake computes.
    NAMED = "named"
    #: A probe found that the receiver accepts any signature.
    ACCEPTS_ANYTHING = "accepts-anything"
    #: A probe found that the receiver accepts right signatures, and refuses wrong ones.
    ACCEPTS_RIGHT = "accepts-the-right-one"
    #: The receiver did not answer a probe in a way that says something about signatures.
    NOT_PROBED = "not-probed"


_EXPLAINED = frozenset(
    {
        Verdict.BODY_UNSOUND,
        Verdict.MISTAKE_FOUND,
        Verdict.TEXT_DIFFERS,
        Verdict.NAMED,
        Verdict.ACCEPTS_ANYTHING,
    }
)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The result of ``explain``.

    Attributes:
        verdict: the result as a word for programs.
        summary: the result as a sentence.
        hint: what to do; empty if the mistakes say it.
        mistakes: the mistake that explains the digits, or the mistakes that explain them together
            (raw body hashed, written in base64). For a wrong body, the mistake of its sender. If
            the body verifies and ``got`` is missing: every mistake that shows, common ones first.
        difference: the first difference between the text that should be hashed and the one that
            was; None if no hashed text was given, or if it is right.
    """

    verdict: Verdict
    summary: str
    hint: str = ""
    mistakes: tuple[Candidate, ...] = ()
    difference: Difference | None = None

    @property
    def explained(self) -> bool:
        """Whether a cause was found: for a wrong body, or for a wrong computation."""
        return self.verdict in _EXPLAINED

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "verdict": self.verdict.value,
            "summary": self.summary,
            "hint": self.hint,
            "mistakes": [each.document() for each in self.mistakes],
            "difference": None if self.difference is None else self.difference.document(),
            "probe": None,
        }


def explain(  # noqa: PLR0913 - a request, what was computed from it, and what else is known
    body: bytes,
    secret: str,
    *,
    got: str | None = None,
    hashed: bytes | None = None,
    answer: bytes | None = None,
    lang: str | None = None,
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
        hashed: the bytes that the receiver hashed, to be compared with the right ones.
        answer: the receiver's answer. A signature in it is taken for ``got`` if a known mistake
            gives it.
        lang: the receiver's language, for the repair: javascript, typescript, python, php, go,
            ruby, java or csharp. By default the mistake tells it.
        other_secrets: pairs of a label (``the secret of Acme``) and a secret that somebody may have
            used by mistake: of another product, or of this one before a rotation.
        headers: the request's headers; needed only if an assumption puts the signature there.
        assume: the assumptions of the request. If they change how a request is signed, the summary
            names them.

    Raises:
        InvalidValue: the secret is empty, an assumption or language is refused, or the signature is
            in a header and no header was given.
    """
    assumptions = parse_assumptions(assume or {})
    language = language_named(lang)
    if not secret:
        raise InvalidValue("The secret is empty.", hint="Give the webhook's secret.")
    if not headers:
        _require_signature_in_body(assumptions)
    others = tuple(other_secret(label, other) for label, other in other_secrets)
    try:
        request = ReceivedRequest.of(body, secret, headers=headers, assumptions=assumptions)
    except InvalidSignature as refusal:
        found = _wrong_body(refusal)
    else:
        search = Search(request, keys=(*KEYS, *others), language=language)
        found = _Explainer(search).explain(None if got is None else got.strip(), hashed, answer)
    return replace(found, summary=f"{found.summary} {assumptions_note(assumptions)}".rstrip())


def _require_signature_in_body(assumptions: AssumptionSet) -> None:
    if assumptions.signature_location is SignatureLocation.HEADER:
        raise InvalidValue(
            f"The signature is in the header {assumptions.signature_header}, and no header was "
            "given.",
            hint="Give this header of the request, too.",
        )


def _wrong_body(refusal: InvalidSignature) -> Explanation:
    return Explanation(
        verdict=Verdict.BODY_UNSOUND,
        summary=refusal.message,
        hint=refusal.hint or "Look at the sender of this body, or at what changed it on its way.",
    )


class _Explainer:
    """Explains one request."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._request = request = search.request
        self._misplaced = wrong_place(request.assumptions)
        self._teller = Teller(search)
        self._sender = Teller(search, to_receiver=False)

    def explain(self, got: str | None, hashed: bytes | None, answer: bytes | None) -> Explanation:
        """Explain the body, or the receiver that computed or hashed something."""
        if self._request.signature != self._request.expected:
            return self._wrong_signature(got, answer or b"")
        if hashed is not None:
            return self._hashed(hashed, got)
        if got is not None:
            return self._wrong_computation(got)
        return self._answered(answer or b"")

    def _wrong_signature(self, got: str | None, answer: bytes) -> Explanation:
        """Explain a body whose signature does not fit its payload and the secret."""
        if got is None and self._request.expected in digests_in(answer):
            got = self._request.expected
        refusal = signature_error(self._request.signature, self._request.expected)
        signers = self._sender.causes(self._request.signature)
        if got == self._request.expected:
            return _right_receiver(signers)
        if got is not None and (causes := self._teller.causes(got)):
            return Explanation(
                verdict=Verdict.MISTAKE_FOUND,
                summary="The receiver makes a known mistake.",
                hint=f"The body is wrong, too. {refusal}",
                mistakes=causes,
            )
        return replace(_wrong_body(refusal), mistakes=signers)

    def _answered(self, answer: bytes) -> Explanation:
        """Explain a body that verifies, by the digests in the receiver's answer if there are."""
        unknown = [got for got in digests_in(answer) if got != self._request.expected]
        for got in unknown:
            if causes := self._teller.causes(got):
                return Explanation(
                    verdict=Verdict.MISTAKE_FOUND,
                    summary="The receiver answered with the signature that it computed. "
                    "It makes a known mistake.",
                    mistakes=causes,
                )
        return self._possible_mistakes(unknown)

    def _possible_mistakes(self, unknown: Sequence[str]) -> Explanation:
        told = f" No known mistake gives {unknown[0]}, which the answer holds." if unknown else ""
        return Explanation(
            verdict=Verdict.BODY_SOUND,
            summary=f"The body verifies with this secret.{told}",
            hint="Find what the receiver computed in the list below, or give it to explain.",
            mistakes=(
                *self._teller.all_of(self._search.steps()),
                *(
                    self._teller.of_mistake(
                        spelling, signatures=tuple(dict.fromkeys(spelling.computes(self._request)))
                    )
                    for spelling in SPELLINGS
                ),
                self._teller.of_mistake(self._misplaced),
            ),
        )

    def _wrong_computation(self, got: str) -> Explanation:
        """Explain what a receiver computed from a body that verifies."""
        if got in self._misplaced.computes(self._request):
            return Explanation(
                verdict=Verdict.MISTAKE_FOUND,
                summary="The receiver computes the right signature and compares it with another "
                "text."
                if got == self._request.expected
                else "The receiver looks for the signature in the wrong place.",
                mistakes=(self._teller.of_mistake(self._misplaced),),
            )
        if causes := self._teller.causes(got):
            return Explanation(
                verdict=Verdict.MISTAKE_FOUND,
                summary="The receiver makes a known mistake.",
                mistakes=causes,
            )
        return Explanation(
            verdict=Verdict.NONE_FITS,
            summary="No known mistake gives this signature for this body and secret.",
            hint=self._clue(got),
        )

    def _hashed(self, hashed: bytes, got: str | None) -> Explanation:
        """Explain the bytes that a receiver hashed."""
        difference = first_difference(self._request.signed_bytes, hashed)
        if difference is None:
            return self._right_text(got)
        if (mistake := self._search.hashed(hashed)) is not None:
            step = self._search.step_of(mistake, hashed)
            return Explanation(
                verdict=Verdict.MISTAKE_FOUND,
                summary="The receiver hashes another text, by a known mistake.",
                mistakes=(self._teller.of(step),),
                difference=difference,
            )
        return Explanation(
            verdict=Verdict.TEXT_DIFFERS,
            summary="The receiver hashes another text. The first difference is at byte "
            f"{difference.offset}.",
            hint="Hash the payload's text as it came, byte for byte.",
            difference=difference,
        )

    def _right_text(self, got: str | None) -> Explanation:
        if got is not None:
            return self._wrong_computation(got)
        return Explanation(
            verdict=Verdict.TEXT_RIGHT,
            summary="The receiver hashes the right text.",
            hint="So it has another secret, or it writes or compares the digest wrongly. Give the "
            "signature that it computes, too.",
        )

    def _clue(self, got: str) -> str:
        if not _HEX_DIGEST.fullmatch(got):
            return f"A signature has 64 hex digits; this is {_length_of(got)}."
        text = self._request.signed_bytes
        cut = (
            " The payload is long, so not every serialiser was tried: explain a shorter event."
            if self._search.is_cut
            else ""
        )
        return (
            "Check the receiver's secret first: in most cases it differs from this one. Then "
            f"compare the bytes that it hashes: it should hash {len(text)} bytes, whose plain "
            f"SHA-256 is {hashlib.sha256(text).hexdigest()}.{cut}"
        )


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


def _length_of(got: str) -> str:
    length = f"a text of {len(got)} characters"
    other = _OTHER_HASHES.get(len(got)) if _HEX.fullmatch(got) else None
    return length if other is None else f"{length}, the length of {other}: use SHA-256"
