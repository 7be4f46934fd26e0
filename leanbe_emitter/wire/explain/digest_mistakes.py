"""Mistakes in the formula, and in how a digest is written."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.mistakes import DigestMistake, Saying, SpellingMistake
from leanbe_emitter.wire.explain.repairs import WRITE_HEX

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


SPELLINGS = (
    SpellingMistake(
        name="upper-case",
        words=Saying(verb="write", object="the digest in upper case", advice="Use lower-case hex."),
        spellings=_upper,
        repair=WRITE_HEX,
    ),
    SpellingMistake(
        name="base64",
        words=Saying(verb="write", object="the digest in base64", advice="Use lower-case hex."),
        spellings=_base64,
        repair=WRITE_HEX,
    ),
    SpellingMistake(
        name="base64-of-hex",
        words=Saying(
            verb="write",
            object="the hex digits of the digest in base64",
            advice="Use the hex digits themselves.",
        ),
        spellings=_base64_of_hex,
        repair=WRITE_HEX,
    ),
    SpellingMistake(
        name="prefixed",
        words=Saying(
            verb="put",
            object="a prefix before the digest, such as sha256=",
            advice="Use the hex digits alone.",
        ),
        spellings=_prefixed,
        repair=WRITE_HEX,
    ),
    SpellingMistake(
        name="separated",
        words=Saying(
            verb="write",
            object="the digest with separators between its bytes",
            advice="Use the hex digits alone, in lower case.",
        ),
        spellings=_separated,
        repair=WRITE_HEX,
        languages=(Language.CSHARP,),
    ),
    SpellingMistake(
        name="zeros-lost",
        words=Saying(
            verb="write",
            object="the digest's bytes without leading zeros or with signs",
            advice="Use two hex digits for each byte.",
        ),
        spellings=_zeros_lost,
        repair=WRITE_HEX,
        languages=(Language.JAVA,),
    ),
    SpellingMistake(
        name="digest-as-bytes",
        words=Saying(
            verb="compare",
            object="the digest as bytes, in the text b'...'",
            advice="Use the hex digits as text.",
        ),
        spellings=_as_bytes,
        repair=WRITE_HEX,
        languages=(Language.PYTHON,),
    ),
)
