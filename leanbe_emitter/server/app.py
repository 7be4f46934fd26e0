"""The application: its operations, and the middleware around them.

A request gets its id (``http.request_ids``), passes the access rules (``http.access``), and reaches
its operation (``routes``).
"""

from functools import cache, partial

from starlette.applications import Starlette
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server import pages
from leanbe_emitter.server.http.access import HEALTH_PATHS, Access, AccessMiddleware
from leanbe_emitter.server.http.background_checks import BackgroundChecks
from leanbe_emitter.server.http.change_notifier import ChangeNotifier
from leanbe_emitter.server.http.group_commit import GroupCommit
from leanbe_emitter.server.http.problems import add_error_handlers
from leanbe_emitter.server.http.request_ids import RequestIdMiddleware
from leanbe_emitter.server.http.row_feed import RowFeed
from leanbe_emitter.server.openapi import openapi_document
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
    reset,
    snippets,
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
    explain.add_routes,
    checks.add_routes,
    wait.add_routes,
    faults.add_routes,
    clock.add_routes,
    reset.add_routes,
    snippets.add_routes,
    information.add_routes,
    metrics.add_routes,
    stream.add_routes,
)


class _App(Starlette):
    """Starlette with middleware of our own: ``AccessMiddleware`` answers unforeseen errors, too."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        self.router.redirect_slashes = False
        self._access = access

    def build_middleware_stack(self) -> ASGIApp:
        """Return the middleware around the routes, the outermost."""
        routes = ExceptionMiddleware(self.router, handlers=self.exception_handlers)
        open_paths = HEALTH_PATHS | pages.PATHS
        return RequestIdMiddleware(
            AccessMiddleware(routes, access=self._access, open_paths=open_paths)
        )


def create_app(
    leanbe: Leanbe, *, settings: Settings, access: Access, root_path: str = ""
) -> Starlette:
    """Return the server's ASGI application.

    Args:
        leanbe: the handle that the operations use; the caller closes it.
        settings: limits of requests.
        access: the rules of access.
        root_path: path prefix of the server behind a proxy.
    """
    app = _App(access)
    app.state.settings = settings
    app.state.root_path = root_path
    app.state.needs_token = bool(access.token)
    app.state.change_notifier = notifier = ChangeNotifier(leanbe)
    app.state.row_feed = RowFeed(leanbe, notifier)
    app.state.group_commit = GroupCommit(leanbe, on_commit=notifier.on_commit)
    app.state.worker = None
    app.state.checks = BackgroundChecks()
    app.state.keep = None
    # The first call builds the document.
    app.state.openapi = cache(partial(openapi_document, app))
    for add_routes in _ROUTE_MODULES:
        add_routes(app, leanbe)
    pages.add_routes(app)
    add_error_handlers(app)
    return app
