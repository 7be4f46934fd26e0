"""The server's application without a server: each call is answered in this process.

FastAPI needs a tenth of a second to make an application. With the usual settings a test gets the
application of an earlier test, with its own handle behind it, if that test left it as it was.
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
from leanbe_emitter.delivery.transport import Transport
from leanbe_emitter.server.access import Access
from leanbe_emitter.server.app import create_app
from tests.promised import check_promise

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
        document = promised(needs_token=self.app.state.needs_token)
        check_promise(document, method, f"/api/v1{path}", answer)
        return answer

    def at(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call what is at a whole path."""
        return asyncio.run(self._call(method, path, options))

    async def _call(self, method: str, path: str, options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return await client.request(method, path, **options)


@cache
def promised(*, needs_token: bool) -> dict[str, Any]:
    """The API's document, which is made once: nothing else of an application makes another one."""
    access = Access(token="tok_test" if needs_token else "")
    with Leanbe() as leanbe:
        return create_app(leanbe, settings=Settings(), access=access).openapi()


class _Handle:
    """Stands for the handle that an application acts on, which is another one for each test."""

    leanbe: Leanbe

    def __getattr__(self, name: str) -> Any:
        return getattr(self.leanbe, name)


@dataclass(frozen=True, kw_only=True)
class _Application:
    """An application with the usual settings, for one test after the other.

    Attributes:
        handle: what stands for the tests' handles.
        routes: how many paths it answers.
    """

    app: FastAPI
    handle: _Handle
    routes: int

    @classmethod
    def over(cls, leanbe: Leanbe) -> Self:
        """Make one, with a first handle behind it."""
        handle = _Handle()
        handle.leanbe = leanbe
        app = create_app(cast("Leanbe", handle), settings=Settings(), access=Access())
        return cls(app=app, handle=handle, routes=len(app.routes))

    def is_as_made(self) -> bool:
        """Say whether a test added nothing to it, and left nobody in it who waits."""
        news = self.app.state.news
        return len(self.app.routes) == self.routes and not news.is_over and not news.ears


#: Those that no test has at present, by what an application asks its handle once for all.
_SPARE: dict[bool, list[_Application]] = {True: [], False: []}


@contextmanager
def _application(leanbe: Leanbe) -> Iterator[FastAPI]:
    """Take an application with the usual settings for the block."""
    spare = _SPARE[leanbe.writes_alone]
    taken = spare.pop() if spare else _Application.over(leanbe)
    taken.handle.leanbe = leanbe
    yield taken.app
    if taken.is_as_made():
        spare.append(taken)


@contextmanager
def calling(
    db: str = ":memory:",
    *,
    access: Access | None = None,
    settings: Settings | None = None,
    transport: Transport | None = None,
) -> Iterator[Api]:
    """Open a database, and the API over it."""
    is_usual = access is None and settings is None
    settings = settings or Settings()
    with Leanbe(db, settings=settings, transport=transport) as leanbe:
        if is_usual:
            with _application(leanbe) as app:
                yield Api(leanbe, app)
        else:
            app = create_app(leanbe, settings=settings, access=access or Access())
            yield Api(leanbe, app)
