"""A signature is made of a text and a secret, and of nothing else (contract d-2).

Invariant: what is hashed is the UTF-8 of the secret itself, never the bytes that its hex digits
may stand for (contract c.1).
"""

from functools import lru_cache
from hashlib import sha256
from typing import Any, assert_never

from leanbe_emitter.wire.reading import SignatureScheme
from leanbe_emitter.wire.stringify import JSON, stringify

# HMAC's own numbers, for a hash whose blocks have 64 bytes.
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def sign(payload: JSON, secret: str) -> str:
    """Return the article's signature of a payload: 64 lower-case hex digits.

    That is ``createHmac('sha256', secret).update(JSON.stringify(payload)).digest('hex')``.

    Raises:
        InvalidValue: the payload has no JSON form (also its leaves ``PayloadTooDeep`` and
            ``PayloadTooLarge``).
    """
    return sign_text(stringify(payload), secret)


def sign_text(text: str, secret: str, *, scheme: SignatureScheme = SignatureScheme.HMAC) -> str:
    """Return the signature of what is stringified already: 64 lower-case hex digits.

    Args:
        text: the exact text that is signed, normally ``stringify(payload)``.
        secret: the webhook's secret.
        scheme: the article's formula, or a reading of its words (contract d-2).
    """
    match scheme:
        case SignatureScheme.HMAC:
            return _hmac(secret, to_utf8(text))
        case SignatureScheme.SHA256_PAYLOAD_SECRET:
            return sha256(to_utf8(text) + to_utf8(secret)).hexdigest()
        case SignatureScheme.SHA256_SECRET_PAYLOAD:
            return sha256(to_utf8(secret) + to_utf8(text)).hexdigest()
    assert_never(scheme)


def to_utf8(text: str) -> bytes:
    """Return the UTF-8 of a text as JavaScript makes it: a lone surrogate becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        units = text.encode("utf-16-le", "surrogatepass")
        return units.decode("utf-16-le", "replace").encode()


def _hmac(secret: str, message: bytes) -> str:
    """Return what ``hmac.digest`` does, which makes its key's two states anew at every call."""
    keyed, outer = _hmac_states(secret)
    inner, outer = keyed.copy(), outer.copy()
    inner.update(message)
    outer.update(inner.digest())
    digits: str = outer.hexdigest()
    return digits


@lru_cache(maxsize=256)
def _hmac_states(secret: str) -> tuple[Any, Any]:
    """Return the hashes that a message is put into, and then what comes of that (RFC 2104)."""
    key = to_utf8(secret)
    block = (key if len(key) <= _BLOCK else sha256(key).digest()).ljust(_BLOCK, b"\0")
    return sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))
