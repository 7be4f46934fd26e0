"""One verified receiver in each framework; its view notes the envelopes that it gets."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated, Any

import fastapi
import flask
import starlette.applications
import starlette.requests
import starlette.responses
import starlette.routing

from leanbe_emitter import Envelope
from leanbe_emitter.receivers import fastapi as for_fastapi
from leanbe_emitter.receivers import flask as for_flask
from leanbe_emitter.receivers.verifier import Secret
from tests.support.framework_apps import django_asgi_app, django_wsgi_app

Serving = Callable[[Secret, list[Envelope]], AbstractContextManager[Any]]

PATH = "/hooks/leanbe"


@contextmanager
def fastapi_serving(secret: Secret, seen: list[Envelope]) -> Iterator[Any]:
    """FastAPI."""
    app = fastapi.FastAPI()

    @app.post(PATH, status_code=204)
    async def receive(
        envelope: Annotated[Envelope, fastapi.Depends(for_fastapi.verified(secret))],
    ) -> None:
        seen.append(envelope)

    yield app


@contextmanager
def starlette_serving(secret: Secret, seen: list[Envelope]) -> Iterator[Any]:
    """Starlette."""
    leanbe = for_fastapi.verified(secret)

    async def receive(request: starlette.requests.Request) -> starlette.responses.Response:
        seen.append(await leanbe(request))
        return starlette.responses.Response(status_code=204)

    yield starlette.applications.Starlette(
        routes=[starlette.routing.Route(PATH, receive, methods=["POST"])]
    )


@contextmanager
def flask_serving(secret: Secret, seen: list[Envelope]) -> Iterator[Any]:
    """Flask, with a plain view that takes an argument of its route."""
    app = flask.Flask("verified")

    @app.post("/<folder>/leanbe")
    @for_flask.verified(secret)
    def receive(envelope: Envelope, folder: str) -> tuple[str, int]:
        assert folder == "hooks"
        seen.append(envelope)
        return "", 204

    yield app


@contextmanager
def asynchronous_flask_serving(secret: Secret, seen: list[Envelope]) -> Iterator[Any]:
    """Flask, with an asynchronous view."""
    app = flask.Flask("verified")

    @app.post(PATH)
    @for_flask.verified(secret)
    async def receive(envelope: Envelope) -> tuple[str, int]:
        seen.append(envelope)
        return "", 204

    yield app


@contextmanager
def _with_url(pattern: Any) -> Iterator[None]:
    django_wsgi_app()
    from django.test import override_settings  # noqa: PLC0415 - after the settings

    with override_settings(
        ROOT_URLCONF=(pattern,), MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"]
    ):
        yield


@contextmanager
def django_serving(secret: Secret, seen: list[Envelope]) -> Iterator[Any]:
    """Django, with a plain view that takes an argument of its route."""
    from django.http import HttpRequest, HttpResponse  # noqa: PLC0415 - slow
    from django.urls import path  # noqa: PLC0415 - slow

    from leanbe_emitter.receivers.django import verified  # noqa: PLC0415 - slow

    @verified(secret)
    def receive(_: HttpRequest, envelope: Envelope, folder: str) -> HttpResponse:
        assert folder == "hooks"
        seen.append(envelope)
        return HttpResponse(status=204)

    with _with_url(path("<str:folder>/leanbe", receive)):
        yield django_wsgi_app()


@contextmanager
def asynchronous_django_serving(secret: Secret, seen: list[Envelope]) -> Iterator[Any]:
    """Django, with an asynchronous view."""
    from django.http import HttpRequest, HttpResponse  # noqa: PLC0415 - slow
    from django.urls import path  # noqa: PLC0415 - slow

    from leanbe_emitter.receivers.django import verified  # noqa: PLC0415 - slow

    @verified(secret)
    async def receive(_: HttpRequest, envelope: Envelope) -> HttpResponse:
        seen.append(envelope)
        return HttpResponse(status=204)

    with _with_url(path(PATH.removeprefix("/"), receive)):
        yield django_asgi_app()


FRAMEWORKS: tuple[Serving, ...] = (
    fastapi_serving,
    starlette_serving,
    flask_serving,
    asynchronous_flask_serving,
    django_serving,
    asynchronous_django_serving,
)
