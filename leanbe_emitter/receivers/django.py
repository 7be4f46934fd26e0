"""Verified webhooks in Django."""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Concatenate, TypeAlias, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from leanbe_emitter.receivers.verifier import Refusal, Secret, Verifier
from leanbe_emitter.wire.envelope import Envelope

#: An ``HttpResponse`` of a plain view, or the coroutine of an asynchronous view.
_Answer = TypeVar("_Answer")
_View: TypeAlias = Callable[Concatenate[HttpRequest, Envelope, ...], _Answer]


def verified(
    secret: Secret,
) -> Callable[[_View[_Answer]], Callable[Concatenate[HttpRequest, ...], _Answer]]:
    """Return a decorator that gives a view the verified envelope as its second argument.

    The view may be asynchronous. It needs no CSRF token, because the signature proves the sender.

    If the body does not verify, the view is not called. The answer is then 400 (not an envelope) or
    401 (wrong signature), with the reason as JSON in ``detail``.

    Args:
        secret: the secret, or a function that returns it and is called at each request.

    Raises:
        InvalidValue: the secret is empty.
    """
    verifier = Verifier(secret)

    def decorate(view: _View[_Answer]) -> Callable[Concatenate[HttpRequest, ...], _Answer]:
        receive = (
            _asynchronous(view, verifier) if iscoroutinefunction(view) else _plain(view, verifier)
        )
        exempt: Callable[Concatenate[HttpRequest, ...], _Answer] = csrf_exempt(receive)
        return exempt

    return decorate


def _plain(view: Callable[..., Any], verifier: Verifier) -> Callable[..., Any]:
    @wraps(view)
    def receive(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        found = verifier.check(request.body)
        if isinstance(found, Refusal):
            return _refused(found)
        return view(request, found, *args, **kwargs)

    return receive


def _asynchronous(view: Callable[..., Any], verifier: Verifier) -> Callable[..., Any]:
    @wraps(view)
    async def receive(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        found = verifier.check(request.body)
        if isinstance(found, Refusal):
            return _refused(found)
        return await view(request, found, *args, **kwargs)

    return receive


def _refused(refusal: Refusal) -> HttpResponse:
    return JsonResponse({"detail": refusal.detail}, status=refusal.status)
