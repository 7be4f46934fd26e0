"""Mistakes under assumptions that change how a request is signed (contract d-1 to d-3).

Invariant: under the article's assumptions, the note is empty, and the mistakes are the usual ones.
"""

from collections.abc import Iterator
from dataclasses import replace

from leanbe_emitter.wire.assumptions.assumption_set import (
    AssumptionSet,
    SignatureLocation,
    SignatureScheme,
    SignedContent,
)
from leanbe_emitter.wire.explain.mistakes import HEADER_EXPECTED, MISTAKES, SECRETS, Mistake
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.signing import sign_text


def assumptions_note(assumptions: AssumptionSet) -> str:
    """Return a sentence on the assumptions and their effect; empty for the article's."""
    different = [*_place(assumptions), *_content(assumptions), *_scheme(assumptions)]
    if not different:
        return ""
    assumed, words = zip(*different, strict=True)
    return f"The request was made under {', '.join(assumed)}: {'; '.join(words)}."


def mistakes_under(assumptions: AssumptionSet) -> tuple[Mistake, ...]:
    """Return the mistakes whose texts and repairs are right under these assumptions."""
    if _computes_as_the_article(assumptions):
        return MISTAKES
    secrets = SECRETS if assumptions.signature_scheme is SignatureScheme.HMAC else ()
    javascript, python = _lines(assumptions)
    assumed = ", ".join(each for each, _ in (*_content(assumptions), *_scheme(assumptions)))
    ignored = Mistake(
        name="assumption-ignored",
        what=f"The article's formula is computed. The request was signed under {assumed}.",
        fix_javascript=javascript,
        fix_python=python,
        computes=_by_the_article,
    )
    raw_body = replace(
        MISTAKES[0],
        what=f"The raw body is hashed. The request was signed under {assumed}.",
        fix_javascript=javascript,
        fix_python=python,
    )
    return (ignored, raw_body, *secrets)


def wrong_place(assumptions: AssumptionSet) -> Mistake:
    """Return the mistake of looking for the signature in the wrong place."""
    name = assumptions.signature_header
    match assumptions.signature_location:
        case SignatureLocation.BODY:
            return HEADER_EXPECTED
        case SignatureLocation.HEADER:
            return replace(
                HEADER_EXPECTED,
                name="body-expected",
                what=f"The signature is expected elsewhere. It is in the header {name}.",
                fix_javascript=f"const signature = req.get({name!r})",
                fix_python=f"signature = request.headers[{name!r}]",
            )
        case SignatureLocation.BOTH:
            return replace(
                HEADER_EXPECTED,
                name="place-missed",
                what="The signature is expected elsewhere. It is in the body, beside the payload, "
                f"and in the header {name}.",
                fix_javascript=f"const {{ signature }} = req.body // or req.get({name!r})",
                fix_python=f'signature = body["signature"]  # or request.headers[{name!r}]',
            )


def _computes_as_the_article(assumptions: AssumptionSet) -> bool:
    return not [*_content(assumptions), *_scheme(assumptions)]


def _by_the_article(request: ReceivedRequest) -> Iterator[str]:
    yield sign_text(request.payload_text, request.secret)


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


def _lines(assumptions: AssumptionSet) -> tuple[str, str]:
    """Return the line that computes the signature, in JavaScript and in Python."""
    javascript, python = _texts(assumptions)
    match assumptions.signature_scheme:
        case SignatureScheme.HMAC:
            return (
                f'createHmac("sha256", secret).update({javascript}).digest("hex")',
                f'hmac.new(secret.encode(), {python}.encode(), "sha256").hexdigest()',
            )
        case SignatureScheme.SHA256_PAYLOAD_SECRET:
            return (
                f'createHash("sha256").update({javascript} + secret).digest("hex")',
                f"hashlib.sha256(({python} + secret).encode()).hexdigest()",
            )
        case SignatureScheme.SHA256_SECRET_PAYLOAD:
            return (
                f'createHash("sha256").update(secret + {javascript}).digest("hex")',
                f"hashlib.sha256((secret + {python}).encode()).hexdigest()",
            )


def _texts(assumptions: AssumptionSet) -> tuple[str, str]:
    if assumptions.signed_content is SignedContent.PAYLOAD:
        return "JSON.stringify(body.payload)", 'leanbe_emitter.stringify(body["payload"])'
    return (
        "JSON.stringify({ ...body, signature: undefined })",
        'leanbe_emitter.stringify({k: v for k, v in body.items() if k != "signature"})',
    )
