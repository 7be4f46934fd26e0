"""Verified webhooks in Flask."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from flask import current_app, jsonify, request
from flask.typing import ResponseReturnValue

from leanbe_emitter.receivers.verifier import Refusal, Secret, Verifier
from leanbe_emitter.wire.envelope import Envelope

_Others = ParamSpec("_Others")
_Answer = ResponseReturnValue | Awaitable[ResponseReturnValue]


def verified(
    secret: Secret,
) -> Callable[
    [Callable[Concatenate[Envelope, _Others], _Answer]], Callable[_Others, ResponseReturnValue]
]:
    """Return a decorator that gives a view the verified envelope as its first argument.

    It stands below the route: ``@app.post("/hooks/leanbe")``, then ``@verified(secret)``.

    If the body does not verify, the view is not called. The answer is then 400 (not an envelope) or
    401 (wrong signature), with the reason as JSON in ``detail``.

    Args:
        secret: the secret, or a function that returns it and is called at each request.

    Raises:
        InvalidValue: the secret is empty.
    """
    verifier = Verifier(secret)

    def decorate(
        view: Callable[Concatenate[Envelope, _Others], _Answer],
    ) -> Callable[_Others, ResponseReturnValue]:
        @wraps(view)
        def receive(*args: _Others.args, **kwargs: _Others.kwargs) -> ResponseReturnValue:
            found = verifier.check(request.get_data())
            if isinstance(found, Refusal):
                return jsonify(detail=found.detail), found.status
            answer: ResponseReturnValue = current_app.ensure_sync(view)(found, *args, **kwargs)
            return answer

        return receive

    return decorate
