"""Mistakes in the formula, in how a digest is written, and in where it is looked for.

The last ones follow from assumptions that change how a request is signed (contract d-1 to d-3).
Invariant: under the article's assumptions, the mistakes are the usual ones.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, SignatureLocation
from leanbe_emitter.wire.assumptions.parsing import computing_assumptions
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.mistakes import (
    DigestMistake,
    Mistake,
    PlaceMistake,
    Saying,
    SpellingMistake,
)
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.explain.repairs import (
    READ_FROM_BODY,
    WRITE_HEX,
    read_from_body_or_header,
    read_from_header,
)
from leanbe_emitter.wire.signing import to_utf8

_OTHERS = ("sha1", "sha512", "sha384", "md5", "sha224")


def _joined(key: bytes, content: bytes) -> Iterator[bytes]:
    for separator in (b"", b".", b":", b"\n"):
        yield hashlib.sha256(content + separator + key).digest()
        yield hashlib.sha256(key + separator + content).digest()


def _without_key(_key: bytes, content: bytes) -> Iterator[bytes]:
    yield hashlib.sha256(content).digest()


def _swapped(key: bytes, content: bytes) -> Iterator[bytes]:
    yield hmac.digest(content, key, "sha256")


def _other_hash(name: str, title: str) -> DigestMistake:
    def digests(key: bytes, content: bytes) -> Iterator[bytes]:
        yield hmac.digest(key, content, name)
        yield hashlib.new(name, content + key, usedforsecurity=False).digest()
        yield hashlib.new(name, key + content, usedforsecurity=False).digest()
        yield hashlib.new(name, content, usedforsecurity=False).digest()

    return DigestMistake(
        name="other-hash",
        words=Saying(verb="compute", object=f"the digest with {title}", advice="Use SHA-256."),
        digests=digests,
        size=hashlib.new(name, usedforsecurity=False).digest_size,
    )


DIGESTS = (
    DigestMistake(
        name="plain-sha256",
        words=Saying(
            verb="join",
            object="payload and secret, and hash them with plain SHA-256",
            advice="Compute an HMAC with the secret as its key.",
        ),
        digests=_joined,
    ),
    DigestMistake(
        name="hash-without-secret",
        words=Saying(
            verb="hash",
            object="the payload with SHA-256 without the secret",
            advice="Compute an HMAC with the secret as its key.",
        ),
        digests=_without_key,
    ),
    DigestMistake(
        name="key-and-message-swapped",
        words=Saying(
            verb="pass",
            object="the payload as the key and the secret as the message",
            advice="Swap the two arguments: the secret is the key.",
        ),
        digests=_swapped,
    ),
    _other_hash("sha1", "SHA-1"),
    _other_hash("sha512", "SHA-512"),
    _other_hash("sha384", "SHA-384"),
    _other_hash("md5", "MD5"),
    _other_hash("sha224", "SHA-224"),
)


def _upper(digest: bytes) -> Iterator[str]:
    yield digest.hex().upper()


def _base64(digest: bytes) -> Iterator[str]:
    for encoded in (base64.b64encode(digest), base64.urlsafe_b64encode(digest)):
        yield encoded.decode()
        yield encoded.decode().rstrip("=")


def _base64_of_hex(digest: bytes) -> Iterator[str]:
    for digits in (digest.hex(), digest.hex().upper()):
        yield base64.b64encode(digits.encode()).decode()
        yield base64.b64encode(digits.encode()).decode().rstrip("=")


def _prefixed(digest: bytes) -> Iterator[str]:
    for prefix in ("sha256=", "v1=", "0x", "sha256:", "hmac-sha256="):
        yield f"{prefix}{digest.hex()}"
        yield f"{prefix}{base64.b64encode(digest).decode()}"


def _separated(digest: bytes) -> Iterator[str]:
    for separator in ("-", ":", " "):
        yield digest.hex(separator).upper()
        yield digest.hex(separator)


def _zeros_lost(digest: bytes) -> Iterator[str]:
    yield "".join(f"{byte:x}" for byte in digest)
    yield "".join(f"{byte:x}" if byte < 0x80 else f"ffffff{byte:x}" for byte in digest)  # noqa: PLR2004 - negative in Java
    yield digest.hex().lstrip("0")


def _as_bytes(digest: bytes) -> Iterator[str]:
    yield f"b'{digest.hex()}'"
    yield repr(digest)


def _spelling(
    name: str,
    says: tuple[str, str, str],
    spellings: Callable[[bytes], Iterator[str]],
    *languages: Language,
) -> SpellingMistake:
    verb, words, advice = says
    return SpellingMistake(
        name=name,
        words=Saying(verb=verb, object=words, advice=advice),
        spellings=spellings,
        repair=WRITE_HEX,
        languages=languages,
    )


SPELLINGS = (
    _spelling("upper-case", ("write", "the digest in upper case", "Use lower-case hex."), _upper),
    _spelling("base64", ("write", "the digest in base64", "Use lower-case hex."), _base64),
    _spelling(
        "base64-of-hex",
        ("write", "the hex digits of the digest in base64", "Use the hex digits themselves."),
        _base64_of_hex,
    ),
    _spelling(
        "prefixed",
        ("put", "a prefix before the digest, such as sha256=", "Use the hex digits alone."),
        _prefixed,
    ),
    _spelling(
        "separated",
        (
            "write",
            "the digest with separators between its bytes",
            "Use the hex digits alone, in lower case.",
        ),
        _separated,
        Language.CSHARP,
    ),
    _spelling(
        "zeros-lost",
        (
            "write",
            "the digest's bytes without leading zeros or with signs",
            "Use two hex digits for each byte.",
        ),
        _zeros_lost,
        Language.JAVA,
    ),
    _spelling(
        "digest-as-bytes",
        ("compare", "the digest as bytes, in the text b'...'", "Use the hex digits as text."),
        _as_bytes,
        Language.PYTHON,
    ),
)


@dataclass(frozen=True, kw_only=True)
class AssumptionIgnored(Mistake):
    """The article's formula is computed, where an assumption asks for another one."""

    def computes(self, request: ReceivedRequest) -> Iterator[str]:
        """Yield the article's signature."""
        yield hmac.digest(request.key, to_utf8(request.payload_text), "sha256").hex()

    def saying(self, request: ReceivedRequest, value: bytes) -> Saying:  # noqa: ARG002 - the same for all
        """Return the words, with the assumptions."""
        assumed = computing_assumptions(request.assumptions)
        return Saying(
            verb="compute",
            object="the article's formula",
            advice=f"The request was signed under {assumed}.",
        )


ASSUMPTION_IGNORED = AssumptionIgnored(name="assumption-ignored")


def wrong_place(assumptions: AssumptionSet) -> PlaceMistake:
    """Return the mistake of looking for the signature in the wrong place."""
    name = assumptions.signature_header
    match assumptions.signature_location:
        case SignatureLocation.BODY:
            return PlaceMistake(
                name="header-expected",
                words=Saying(
                    verb="expect",
                    object="the signature in a header",
                    advice="It is in the body, beside the payload.",
                ),
                repair=READ_FROM_BODY,
            )
        case SignatureLocation.HEADER:
            return PlaceMistake(
                name="body-expected",
                words=Saying(
                    verb="expect",
                    object="the signature elsewhere",
                    advice=f"It is in the header {name}.",
                ),
                repair=read_from_header(name),
            )
        case SignatureLocation.BOTH:
            return PlaceMistake(
                name="place-missed",
                words=Saying(
                    verb="expect",
                    object="the signature elsewhere",
                    advice=f"It is in the body, beside the payload, and in the header {name}.",
                ),
                repair=read_from_body_or_header(name),
            )
