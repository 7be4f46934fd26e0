"""A client of the server's application in the test's own process, without a socket.

To build an application takes some hundredths of a second. So tests with equal settings use the
same application one after the other, each with its own handle behind it, unless a test changed the
application.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self, cast

import httpx
from starlette.applications import Starlette

from leanbe_emitter import Leanbe, Settings
from leanbe_emitter.clock import Clock
from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.server.app import create_app
from leanbe_emitter.server.http.access import Access
from tests.support.openapi_check import OpenApiCheck

URL = "http://127.0.0.1:5326"


class Api:
    """Client of an application; each call runs in its own event loop."""

    def __init__(self, leanbe: Leanbe, app: Starlette) -> None:
        self.leanbe = leanbe
        self.app = app

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Call an operation by its method and its path below ``/api/v1``.

        The call fails if the answer is not what the OpenAPI document describes.
        """
        if body is not None:
            options["json"] = body
        answer = self.at(method, f"/api/v1{path}", **options)
        openapi_check(needs_token=self.app.state.needs_token)(method, f"/api/v1{path}", answer)
        return answer

    def at(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a complete path."""
        return asyncio.run(self._call(method, path, options))

    async def _call(self, method: str, path: str, options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return await client.request(method, path, **options)


@cache
def openapi_document(*, needs_token: bool) -> dict[str, Any]:
    """Return the OpenAPI document, which is made once a process."""
    access = Access(token="tok_test" if needs_token else "")
    with Leanbe() as leanbe:
        app = create_app(leanbe, settings=Settings(), access=access)
        document: dict[str, Any] = app.state.openapi()
        return document


@cache
def openapi_check(*, needs_token: bool) -> OpenApiCheck:
    """Return the check of answers against that document."""
    return OpenApiCheck(openapi_document(needs_token=needs_token))


class _Handle:
    """Stand-in for the handle of an application; each test puts its own handle behind it."""

    leanbe: Leanbe

    def __getattr__(self, name: str) -> Any:
        return getattr(self.leanbe, name)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Application:
    """An application that tests use one after another.

    Attributes:
        handle: the stand-in for the present test's handle.
        made_from: the settings that the application was made from.
        routes: the number of its routes.
    """

    app: Starlette
    handle: _Handle
    made_from: tuple[bool, Settings, Access]
    routes: int

    @classmethod
    def over(cls, leanbe: Leanbe, *, settings: Settings, access: Access) -> Self:
        """Build an application over a first handle."""
        handle = _Handle()
        handle.leanbe = leanbe
        app = create_app(cast("Leanbe", handle), settings=settings, access=access)
        made_from = (leanbe.writes_alone, settings, access)
        return cls(app=app, handle=handle, made_from=made_from, routes=len(app.routes))

    def is_as_made(self) -> bool:
        """Whether a test added no route and left no waiting client."""
        notifier = self.app.state.change_notifier
        return (
            len(self.app.routes) == self.routes
            and not notifier.is_stopped
            and not notifier.listener_count
        )


#: Applications that no test uses at present.
_SPARE: list[_Application] = []


def _take(leanbe: Leanbe, *, settings: Settings, access: Access) -> _Application:
    """Return an application with these settings: of an earlier test, or a new one."""
    made_from = (leanbe.writes_alone, settings, access)
    for each in _SPARE:
        if each.made_from == made_from:
            _SPARE.remove(each)
            return each
    return _Application.over(leanbe, settings=settings, access=access)


@contextmanager
def application(
    leanbe: Leanbe, *, settings: Settings | None = None, access: Access | None = None
) -> Iterator[Starlette]:
    """Yield an application over a handle."""
    taken = _take(leanbe, settings=settings or Settings(), access=access or Access())
    taken.handle.leanbe = leanbe
    yield taken.app
    if taken.is_as_made():
        _SPARE.append(taken)


@contextmanager
def open_api(
    db: str = ":memory:",
    *,
    access: Access | None = None,
    settings: Settings | None = None,
    transport: Transport | None = None,
    clock: Clock | Literal["manual"] | None = None,
) -> Iterator[Api]:
    """Yield a client of the API over a new handle."""
    settings = settings or Settings()
    with (
        Leanbe(db, settings=settings, transport=transport, clock=clock) as leanbe,
        application(leanbe, settings=settings, access=access) as app,
    ):
        yield Api(leanbe, app)
