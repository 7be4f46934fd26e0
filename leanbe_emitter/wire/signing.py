"""Sign a text with a secret, by the article's formula or an assumed one (contract d-2).

Invariant: the key is the UTF-8 of the secret's text, never the bytes that its hex digits may encode
(contract c.1).
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import assert_never

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import SignatureScheme
from leanbe_emitter.wire.stringify import JSON, stringify

# Constants of HMAC, for a hash with blocks of 64 bytes.
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def sign(payload: JSON, secret: str) -> str:
    """Return the article's signature of a payload: 64 lower-case hex digits.

    It is ``createHmac('sha256', secret).update(JSON.stringify(payload)).digest('hex')``.

    Raises:
        InvalidValue: the secret is no str; or the payload has no JSON form, is too deep
            (``PayloadTooDeep``) or too large (``PayloadTooLarge``).
    """
    return sign_text(stringify(payload), secret)


def sign_text(text: str, secret: str, *, scheme: SignatureScheme = SignatureScheme.HMAC) -> str:
    """Return the signature of a stringified text: 64 lower-case hex digits.

    Args:
        text: the exact text to sign, normally ``stringify(payload)``.
        secret: the webhook's secret.
        scheme: the article's formula, or an assumed one (contract d-2).

    Raises:
        InvalidValue: the secret is no str.
    """
    return signer(secret, scheme)(text)


@lru_cache(maxsize=256)
def signer(secret: str, scheme: SignatureScheme) -> Callable[[str], str]:
    """Return ``sign_text`` for one secret, with the work for the secret done once."""
    key = to_utf8(_text(secret))
    match scheme:
        case SignatureScheme.HMAC:
            return _hmac(key)
        case SignatureScheme.SHA256_PAYLOAD_SECRET:
            return lambda text: sha256(to_utf8(text) + key).hexdigest()
        case SignatureScheme.SHA256_SECRET_PAYLOAD:
            return lambda text: sha256(key + to_utf8(text)).hexdigest()
    assert_never(scheme)


def _text(secret: object) -> str:
    """Return the secret; callers without a type checker give what they read, often None."""
    if not isinstance(secret, str):
        raise InvalidValue(
            f"The secret is of type {type(secret).__name__}, not str.",
            hint="Check where the program reads it: a variable that is not set gives None.",
        )
    return secret


def to_utf8(text: str) -> bytes:
    """Return the UTF-8 of a text as JavaScript does: a lone surrogate becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        units = text.encode("utf-16-le", "surrogatepass")
        return units.decode("utf-16-le", "replace").encode()


def _hmac(key: bytes) -> Callable[[str], str]:
    """Return a function like ``hmac.digest`` that prepares the key's two states only once.

    The inner state hashes the message, and the outer state hashes the inner digest (RFC 2104).
    """
    block = (key if len(key) <= _BLOCK else sha256(key).digest()).ljust(_BLOCK, b"\0")
    inner, outer = sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))

    def sign(text: str) -> str:
        message, signature = inner.copy(), outer.copy()
        message.update(to_utf8(text))
        signature.update(message.digest())
        return signature.hexdigest()

    return sign
