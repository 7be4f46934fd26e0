"""Digests in a receiver's answer: many receivers answer with the signature that they computed."""

import re
from collections.abc import Iterator

#: The most digests of an answer that are looked at.
MAX_DIGESTS = 4
#: The longest part of an answer that is looked at, in bytes.
_MAX_BYTES = 64 * 1024
_HEX = r"(?<![0-9A-Za-z])(?:[0-9a-f]{64}|[0-9A-F]{64})(?![0-9A-Za-z])"
_BASE64 = r"(?<![0-9A-Za-z+/_-])[0-9A-Za-z+/_-]{43}=(?![0-9A-Za-z=])"
_DIGEST = re.compile(f"{_HEX}|{_BASE64}")


def digests_in(answer: bytes) -> tuple[str, ...]:
    """Return the texts in an answer that may be digests: 64 hex digits, or base64 of 32 bytes."""
    text = answer[:_MAX_BYTES].decode("latin-1")
    return tuple(dict.fromkeys(_found(text)))[:MAX_DIGESTS]


def _found(text: str) -> Iterator[str]:
    # JSON may escape a slash of base64, as PHP does.
    for found in _DIGEST.finditer(text.replace("\\/", "/")):
        yield found[0]
