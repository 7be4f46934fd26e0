"""Assumptions that change how a request is signed, in words (contract d-1 to d-3).

Invariant: under the article's assumptions, every note is empty.
"""

from collections.abc import Iterator

from leanbe_emitter.wire.assumptions.assumption_set import (
    AssumptionSet,
    SignatureLocation,
    SignatureScheme,
    SignedContent,
)


def assumptions_note(assumptions: AssumptionSet) -> str:
    """Return a sentence on the assumptions and their effect; empty for the article's."""
    different = [*_place(assumptions), *_content(assumptions), *_scheme(assumptions)]
    if not different:
        return ""
    assumed, words = zip(*different, strict=True)
    return f"The request was made under {', '.join(assumed)}: {'; '.join(words)}."


def computing_assumptions(assumptions: AssumptionSet) -> str:
    """Return the assumptions that change what is computed; empty for the article's."""
    return ", ".join(each for each, _ in (*_content(assumptions), *_scheme(assumptions)))


def _place(assumptions: AssumptionSet) -> Iterator[tuple[str, str]]:
    location, name = assumptions.signature_location, assumptions.signature_header
    if location is SignatureLocation.HEADER:
        yield (
            f"signature_location={location}",
            f"the signature is in the header {name}, not in the body",
        )
    if location is SignatureLocation.BOTH:
        yield (
            f"signature_location={location}",
            f"the signature is in the body and in the header {name}",
        )


def _content(assumptions: AssumptionSet) -> Iterator[tuple[str, str]]:
    if assumptions.signed_content is not SignedContent.PAYLOAD:
        yield (
            f"signed_content={assumptions.signed_content}",
            "the whole stringified envelope, without its signature, is signed",
        )


def _scheme(assumptions: AssumptionSet) -> Iterator[tuple[str, str]]:
    scheme = assumptions.signature_scheme
    if scheme is SignatureScheme.SHA256_PAYLOAD_SECRET:
        yield (
            f"signature_scheme={scheme}",
            "the signature is the plain SHA-256 of the signed text followed by the secret",
        )
    if scheme is SignatureScheme.SHA256_SECRET_PAYLOAD:
        yield (
            f"signature_scheme={scheme}",
            "the signature is the plain SHA-256 of the secret followed by the signed text",
        )
