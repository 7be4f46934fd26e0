"""The server's application without a server: each call is answered in this process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

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


@contextmanager
def calling(
    db: str = ":memory:",
    *,
    access: Access | None = None,
    settings: Settings | None = None,
    transport: Transport | None = None,
) -> Iterator[Api]:
    """Open a database, and the API over it."""
    settings = settings or Settings()
    with Leanbe(db, settings=settings, transport=transport) as leanbe:
        app = create_app(leanbe, settings=settings, access=access or Access())
        yield Api(leanbe, app)
