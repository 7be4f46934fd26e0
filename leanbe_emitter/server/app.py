"""The application: which operations there are, and who may use them.

A request first gets its id (``requests``), then has to be let in (``access``), then reaches its
operation.
"""

from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

import leanbe_emitter
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http.access import Access, Guard
from leanbe_emitter.server.http.change_notifier import ChangeNotifier
from leanbe_emitter.server.http.group_commit import Together
from leanbe_emitter.server.http.problems import answer_errors
from leanbe_emitter.server.http.request_ids import Numbered
from leanbe_emitter.server.http.routing import take_heads
from leanbe_emitter.server.openapi import page
from leanbe_emitter.server.openapi.document import describe
from leanbe_emitter.server.routes import (
    assumptions,
    clock,
    deliveries,
    documents,
    events,
    explain,
    faults,
    information,
    metrics,
    products,
    reset,
    stream,
    trigger,
    users,
    wait,
    webhooks,
)
from leanbe_emitter.settings import Settings

#: A path is looked for in this order: what is asked for most does not stand at its end.
_PARTS = (
    products.add_to,
    documents.add_to,
    webhooks.add_to,
    assumptions.add_to,
    users.add_to,
    trigger.add_to,
    events.add_to,
    deliveries.add_to,
    explain.add_to,
    wait.add_to,
    faults.add_to,
    clock.add_to,
    reset.add_to,
    information.add_to,
    metrics.add_to,
)


class _App(FastAPI):
    """FastAPI without what it puts around every request, and nobody here has a use for.

    It would measure for a telemetry that is off, look for a limit of bodies that ``asked`` keeps,
    and answer errors that ``Guard`` answers.
    """

    def __init__(self, access: Access, **described: Any) -> None:
        super().__init__(**described)
        self._access = access

    def build_middleware_stack(self) -> ASGIApp:
        """Return what a request passes on its way to an operation, the outermost."""
        answering = ExceptionMiddleware(
            AsyncExitStackMiddleware(self.router), handlers=self.exception_handlers
        )
        return Numbered(Guard(answering, access=self._access))


def create_app(
    leanbe: Leanbe, *, settings: Settings, access: Access, root_path: str = ""
) -> FastAPI:
    """Return the server's ASGI application over a handle, which stays the caller's.

    Args:
        leanbe: what is acted on, and looked at.
        settings: the limits of requests.
        access: who may use it.
        root_path: where a proxy has it, if not at its root.
    """
    app = _App(
        access,
        title="leanbe-emitter",
        version=leanbe_emitter.__version__,
        # Its pages load their code from elsewhere: the page and the document are ours.
        openapi_url=None,
        redirect_slashes=False,
        # It would ask the environment at each request whom to tell of it: nobody is told.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = settings
    app.state.root_path = root_path
    app.state.needs_token = bool(access.token)
    app.state.news = news = ChangeNotifier(leanbe)
    app.state.together = Together(leanbe, committed=news.committed)
    app.state.worker = None
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    for add_to in _PARTS:
        add_to(app, leanbe)
    take_heads(app)
    # What has no end is not asked for its headers alone.
    stream.add_to(app, leanbe)
    page.add_to(app)
    answer_errors(app)
    return app
