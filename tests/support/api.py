"""The server's application without a server: each call is answered in this process.

FastAPI needs a tenth of a second to make an application. A test gets the application of an earlier
test that was made from the same, with its own handle behind it, if that test left it as it was.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, cast

import httpx
from fastapi import FastAPI

from leanbe_emitter import Leanbe, Settings
from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.server.app import create_app
from leanbe_emitter.server.http.access import Access
from tests.support.openapi_check import check_against_openapi

URL = "http://127.0.0.1:5326"


class Api:
    """Calls an application, each call on a loop of its own."""

    def __init__(self, leanbe: Leanbe, app: FastAPI) -> None:
        self.leanbe = leanbe
        self.app = app

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Call an operation by its method and its path behind ``/api/v1``.

        The answer has to be what the API's document promises.
        """
        if body is not None:
            options["json"] = body
        answer = self.at(method, f"/api/v1{path}", **options)
        document = openapi_document(needs_token=self.app.state.needs_token)
        check_against_openapi(document, method, f"/api/v1{path}", answer)
        return answer

    def at(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call what is at a whole path."""
        return asyncio.run(self._call(method, path, options))

    async def _call(self, method: str, path: str, options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return await client.request(method, path, **options)


@cache
def openapi_document(*, needs_token: bool) -> dict[str, Any]:
    """The API's document, which is made once: nothing else of an application makes another one."""
    access = Access(token="tok_test" if needs_token else "")
    with Leanbe() as leanbe:
        return create_app(leanbe, settings=Settings(), access=access).openapi()


class _Handle:
    """Stands for the handle that an application acts on, which is another one for each test."""

    leanbe: Leanbe

    def __getattr__(self, name: str) -> Any:
        return getattr(self.leanbe, name)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Application:
    """An application for one test after the other.

    Attributes:
        handle: what stands for the tests' handles.
        made_from: what an application asks its handle once for all, settings and access.
        routes: how many paths it answers.
    """

    app: FastAPI
    handle: _Handle
    made_from: tuple[bool, Settings, Access]
    routes: int

    @classmethod
    def over(cls, leanbe: Leanbe, *, settings: Settings, access: Access) -> Self:
        """Make one, with a first handle behind it."""
        handle = _Handle()
        handle.leanbe = leanbe
        app = create_app(cast("Leanbe", handle), settings=settings, access=access)
        made_from = (leanbe.writes_alone, settings, access)
        return cls(app=app, handle=handle, made_from=made_from, routes=len(app.routes))

    def is_as_made(self) -> bool:
        """Say whether a test added nothing to it, and left nobody in it who waits."""
        news = self.app.state.news
        return len(self.app.routes) == self.routes and not news.is_over and not news.ears


#: Those that no test has at present.
_SPARE: list[_Application] = []


def _take(leanbe: Leanbe, *, settings: Settings, access: Access) -> _Application:
    """Return one that is made from the same, an earlier test's or a new one."""
    made_from = (leanbe.writes_alone, settings, access)
    for each in _SPARE:
        if each.made_from == made_from:
            _SPARE.remove(each)
            return each
    return _Application.over(leanbe, settings=settings, access=access)


@contextmanager
def application(
    leanbe: Leanbe, *, settings: Settings | None = None, access: Access | None = None
) -> Iterator[FastAPI]:
    """Take an application over a handle for the block."""
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
) -> Iterator[Api]:
    """Open a database, and the API over it."""
    settings = settings or Settings()
    with (
        Leanbe(db, settings=settings, transport=transport) as leanbe,
        application(leanbe, settings=settings, access=access) as app,
    ):
        yield Api(leanbe, app)
