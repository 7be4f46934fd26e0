"""Verification of a webhook's body, the same for all frameworks: accept the body, or refuse it.

Invariant: a refusal contains neither the secret nor the correct signature.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from leanbe_emitter.errors import InvalidSignature, InvalidValue
from leanbe_emitter.wire.envelope import Envelope, parse_envelope, verify

#: A webhook's secret, or a function that returns it at each request.
Secret: TypeAlias = str | Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The refusal of a body.

    Attributes:
        status: 400 if the body is not an envelope, 401 if its signature is wrong.
        detail: the reason, in a sentence for the sender.
    """

    status: int
    detail: str


class Verifier:
    """Verifier of bodies with one secret.

    Args:
        secret: the secret, or a function that returns it and is called at each request.

    Raises:
        InvalidValue: the secret is empty, so that anybody could sign. A function is first called at
            the first request, whose answer is then the framework's 500.
    """

    def __init__(self, secret: Secret) -> None:
        self._secret = secret if callable(secret) else _usable(secret)

    def check(self, body: bytes) -> Envelope | Refusal:
        """Return the envelope of a body with a correct signature, or else the refusal.

        Args:
            body: the request's body as it arrived, before any code parses it.

        Raises:
            InvalidValue: the secret is empty.
        """
        secret = _usable(self._secret()) if callable(self._secret) else self._secret
        try:
            return verify(body, secret)
        except InvalidSignature as error:
            return Refusal(status=_status(body), detail=error.message)


def _status(body: bytes) -> int:
    try:
        parse_envelope(body)
    except InvalidSignature:
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.UNAUTHORIZED


def _usable(secret: object) -> str:
    if isinstance(secret, str) and secret:
        return secret
    raise InvalidValue(
        "There is no secret to verify webhooks with.",
        hint="Check the place that it is read from: with an empty secret, anybody can sign.",
    )
