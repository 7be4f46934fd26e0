"""The application: its operations, and the middleware around them.

A request gets its id (``http.request_ids``), passes the access rules (``http.access``), and reaches
its operation (``routes``).
"""

from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

import leanbe_emitter
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server import ui
from leanbe_emitter.server.http.access import HEALTH_PATHS, Access, AccessMiddleware
from leanbe_emitter.server.http.background_checks import BackgroundChecks
from leanbe_emitter.server.http.change_notifier import ChangeNotifier
from leanbe_emitter.server.http.group_commit import GroupCommit
from leanbe_emitter.server.http.problems import add_error_handlers
from leanbe_emitter.server.http.request_ids import RequestIdMiddleware
from leanbe_emitter.server.http.routing import add_head_routes
from leanbe_emitter.server.http.row_feed import RowFeed
from leanbe_emitter.server.openapi import page
from leanbe_emitter.server.openapi.document import openapi_document
from leanbe_emitter.server.routes import (
    assumptions,
    checks,
    clock,
    deliveries,
    documents,
    events,
    explain,
    faults,
    information,
    metrics,
    products,
    redelivery,
    reset,
    stream,
    trigger,
    users,
    wait,
    webhooks,
)
from leanbe_emitter.settings import Settings

#: Modules in the order in which their routes are matched: those with the most requests come first.
_ROUTE_MODULES = (
    products.add_routes,
    documents.add_routes,
    webhooks.add_routes,
    assumptions.add_routes,
    users.add_routes,
    trigger.add_routes,
    events.add_routes,
    deliveries.add_routes,
    redelivery.add_routes,
    explain.add_routes,
    checks.add_routes,
    wait.add_routes,
    faults.add_routes,
    clock.add_routes,
    reset.add_routes,
    information.add_routes,
    metrics.add_routes,
)


class _App(FastAPI):
    """FastAPI with a middleware stack of our own.

    FastAPI's stack would measure for telemetry that is off, apply a limit of bodies that
    ``http.body`` has, and answer errors that ``AccessMiddleware`` answers.
    """

    def __init__(self, access: Access, **options: Any) -> None:
        super().__init__(**options)
        self._access = access

    def build_middleware_stack(self) -> ASGIApp:
        """Return the middleware around the routes, the outermost."""
        routes = ExceptionMiddleware(self.router, handlers=self.exception_handlers)
        open_paths = HEALTH_PATHS | page.PATHS | ui.PATHS
        return RequestIdMiddleware(
            AccessMiddleware(routes, access=self._access, open_paths=open_paths)
        )


def create_app(
    leanbe: Leanbe, *, settings: Settings, access: Access, root_path: str = ""
) -> FastAPI:
    """Return the server's ASGI application.

    Args:
        leanbe: the handle that the operations use; the caller closes it.
        settings: limits of requests.
        access: the rules of access.
        root_path: path prefix of the server behind a proxy.
    """
    app = _App(
        access,
        title="leanbe-emitter",
        version=leanbe_emitter.__version__,
        # FastAPI's own pages load their code from elsewhere: our page and document replace them.
        openapi_url=None,
        redirect_slashes=False,
        # FastAPI would read the environment at each request to find exporters: there are none.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = settings
    app.state.root_path = root_path
    app.state.needs_token = bool(access.token)
    app.state.change_notifier = notifier = ChangeNotifier(leanbe)
    app.state.row_feed = RowFeed(leanbe, notifier)
    app.state.group_commit = GroupCommit(leanbe, on_commit=notifier.on_commit)
    app.state.worker = None
    app.state.checks = BackgroundChecks()
    app.state.keep = None
    app.openapi = partial(openapi_document, app)  # type: ignore[method-assign]
    for add_routes in _ROUTE_MODULES:
        add_routes(app, leanbe)
    add_head_routes(app)
    # The stream has no end, and so no HEAD; the page's routes take HEAD by themselves.
    stream.add_routes(app, leanbe)
    page.add_routes(app)
    ui.add_routes(app)
    add_error_handlers(app)
    return app
