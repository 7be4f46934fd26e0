"""What every receiver does with a body, whatever its framework: take it, or say how to refuse it.

Invariant: a refusal holds neither the secret nor the signature that would have been right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from leanbe_emitter.errors import InvalidSignature, InvalidValue
from leanbe_emitter.wire.envelope import Envelope, parse_envelope, verify

#: A webhook's secret, or what is asked for it at each request.
Secret: TypeAlias = str | Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """How a body is refused.

    Attributes:
        status: 400 where the body is no envelope, 401 where its signature is wrong.
        detail: what is wrong with it, in a sentence for whoever sent it.
    """

    status: int
    detail: str


class Verifier:
    """Bodies verified by one secret.

    Args:
        secret: text, or a function that returns it, which is called at each request.

    Raises:
        InvalidValue: the secret is empty, with which anybody could sign. Of a function that is
            found out at the first request, which a framework then answers with a 500.
    """

    def __init__(self, secret: Secret) -> None:
        self._secret = secret if callable(secret) else _usable(secret)

    def check(self, body: bytes) -> Envelope | Refusal:
        """Return what a body holds, if its signature is right; else how to refuse it.

        Args:
            body: the request's body as it arrived, before anything parses it.

        Raises:
            InvalidValue: there is no secret to verify with.
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
        hint="Check where it is read from: with an empty secret, anybody can sign.",
    )
