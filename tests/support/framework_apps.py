"""One small receiver in each framework, with the same views in each.

The same claims hold for all of them:

- ``/ok`` answers 200 and ``{"length": ...}``, the length of the request's body;
- ``/raise`` raises ``ValueError("no such idea")``;
- ``/hang`` waits without end, and ``/block`` sleeps in its thread;
- ``/refuse`` answers 401.
"""

import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import bottle
import django
import fastapi
import flask
import litestar
import starlette.applications
import starlette.exceptions
import starlette.requests
import starlette.responses
import starlette.routing
from django.conf import settings

from tests.support.in_process_apps import wait_for_ever

# Django's settings last as long as the process, and so does the folder of its database.
_FOLDER = tempfile.TemporaryDirectory(prefix="leanbe-emitter-django-")

#: Steps of each app's lifespan, by the app's name.
STEPS: dict[str, list[str]] = {}


def _noting(name: str) -> Callable[[Any], Any]:
    STEPS[name] = []

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        del app
        STEPS[name].append("up")
        yield
        STEPS[name].append("down")

    return lifespan


def fastapi_app() -> Any:
    """FastAPI, with a middleware that runs the endpoint in its own task."""
    app = fastapi.FastAPI(lifespan=_noting("fastapi"))

    @app.middleware("http")
    async def passing(request: fastapi.Request, call_next: Any) -> Any:
        return await call_next(request)

    @app.post("/ok")
    async def ok(request: fastapi.Request) -> dict[str, int]:
        return {"length": len(await request.body())}

    @app.post("/raise")
    async def fail() -> None:
        raise ValueError("no such idea")

    @app.post("/hang")
    async def hang() -> None:
        await wait_for_ever()

    @app.post("/block")
    async def block() -> None:
        time.sleep(20)  # noqa: ASYNC251 - the mistake that the test needs

    @app.post("/refuse")
    async def refuse() -> None:
        raise fastapi.HTTPException(401, "bad signature")

    return app


def starlette_app() -> Any:
    """Starlette alone."""

    async def ok(request: starlette.requests.Request) -> starlette.responses.Response:
        return starlette.responses.JSONResponse({"length": len(await request.body())})

    async def fail(_: starlette.requests.Request) -> starlette.responses.Response:
        raise ValueError("no such idea")

    async def hang(_: starlette.requests.Request) -> starlette.responses.Response:
        await wait_for_ever()
        return starlette.responses.Response()

    async def block(_: starlette.requests.Request) -> starlette.responses.Response:
        time.sleep(20)  # noqa: ASYNC251 - the mistake that the test needs
        return starlette.responses.Response()

    async def refuse(_: starlette.requests.Request) -> starlette.responses.Response:
        raise starlette.exceptions.HTTPException(401, "bad signature")

    endpoints = {"/ok": ok, "/raise": fail, "/hang": hang, "/block": block, "/refuse": refuse}
    return starlette.applications.Starlette(
        routes=[
            starlette.routing.Route(path, endpoint, methods=["POST"])
            for path, endpoint in endpoints.items()
        ],
        lifespan=_noting("starlette"),
    )


def litestar_app() -> Any:
    """Litestar."""

    @litestar.post("/ok", status_code=200)
    async def ok(request: litestar.Request[Any, Any, Any]) -> dict[str, int]:
        return {"length": len(await request.body())}

    @litestar.post("/raise")
    async def fail() -> None:
        raise ValueError("no such idea")

    @litestar.post("/hang")
    async def hang() -> None:
        await wait_for_ever()

    @litestar.post("/block")
    async def block() -> None:
        time.sleep(20)  # noqa: ASYNC251 - the mistake that the test needs

    @litestar.post("/refuse")
    async def refuse() -> None:
        raise litestar.exceptions.NotAuthorizedException("bad signature")

    return litestar.Litestar(
        [ok, fail, hang, block, refuse],
        lifespan=[_noting("litestar")],
        openapi_config=None,
        logging_config=None,
    )


def flask_app() -> Any:
    """Flask."""
    app = flask.Flask("receiver")

    @app.post("/ok")
    def ok() -> dict[str, int]:
        return {"length": len(flask.request.get_data())}

    @app.post("/raise")
    def fail() -> str:
        raise ValueError("no such idea")

    @app.post("/block")
    def block() -> str:
        time.sleep(20)
        return ""

    @app.post("/refuse")
    def refuse() -> str:
        flask.abort(401)

    return app


def bottle_app() -> Any:
    """Bottle."""
    app = bottle.Bottle()

    @app.post("/ok")  # type: ignore[untyped-decorator]
    def ok() -> dict[str, int]:
        return {"length": len(bottle.request.body.read())}

    @app.post("/raise")  # type: ignore[untyped-decorator]
    def fail() -> None:
        raise ValueError("no such idea")

    @app.post("/block")  # type: ignore[untyped-decorator]
    def block() -> None:
        time.sleep(20)

    @app.post("/refuse")  # type: ignore[untyped-decorator]
    def refuse() -> None:
        bottle.abort(401, "bad signature")

    return app


def _set_up_django() -> None:
    if settings.configured:
        return
    settings.configure(
        SECRET_KEY="unused",
        ROOT_URLCONF="tests.support.django_urls",
        ALLOWED_HOSTS=["testserver"],
        # A file: only there does a connection that closes lose its transaction.
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": Path(_FOLDER.name, "django.db"),
            }
        },
        LOGGING_CONFIG=None,
    )
    django.setup()


def django_asgi_app() -> Any:
    """Django, as asgi.py makes it."""
    _set_up_django()
    from django.core.asgi import get_asgi_application  # noqa: PLC0415 - after the settings

    return get_asgi_application()


def django_wsgi_app() -> Any:
    """Django, as wsgi.py makes it."""
    _set_up_django()
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 - after the settings

    return get_wsgi_application()


def flask_client() -> Any:
    """Flask's test client."""
    return flask_app().test_client()


def django_client() -> Any:
    """Django's test client."""
    _set_up_django()
    from django.test import Client  # noqa: PLC0415 - after the settings

    return Client()


def starlette_client() -> Any:
    """Starlette's test client over an app in FastAPI."""
    with warnings.catch_warnings():
        # Starlette warns that it prefers another library to httpx.
        warnings.simplefilter("ignore")
        from starlette.testclient import TestClient  # noqa: PLC0415 - inside the filter

    return TestClient(fastapi_app())


def litestar_client() -> Any:
    """Litestar's test client over an app whose errors the client raises."""
    from litestar.testing import TestClient  # noqa: PLC0415 - slow

    return TestClient(litestar_app(), raise_server_exceptions=True)
