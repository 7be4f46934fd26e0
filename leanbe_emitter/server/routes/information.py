"""Information about the server: its state, its document, its health."""

from typing import Annotated, Any, TypeAlias

from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.problems import NotReady
from leanbe_emitter.server.http.query_parameters import IgnoredQuery
from leanbe_emitter.server.http.routing import ANYWHERE, READING, Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.storage.schema.migrate import SchemaState
from leanbe_emitter.wire.durations import format_duration

#: The query of a health check, which may have anything in it.
_AnyQuery: TypeAlias = Annotated[None, IgnoredQuery()]


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on the server itself."""
    routes = Routes(app, leanbe, "Server")

    @routes.read("/info", returns=setup.INFO)
    def info() -> Response:
        """Show version, database, clock, counts, the assumptions of new products, and the server.

        `worker`: whether the server delivers. `keep`: how long it keeps settled deliveries.
        """
        keep = app.state.keep
        return responses.one(
            {
                **leanbe.info().document(),
                "worker": app.state.worker is not None,
                "needsToken": app.state.needs_token,
                "keep": None if keep is None else format_duration(keep.total_seconds()),
            }
        )

    @routes.add("GET", "/openapi.json", returns=setup.OPENAPI, errors=READING, prefix="")
    def openapi() -> Response:
        """Show this document."""
        return responses.one(app.state.openapi())

    @routes.add("GET", "/healthz", returns=setup.HEALTH, errors=ANYWHERE, prefix="")
    async def healthz(_: _AnyQuery) -> Response:
        """Report that the server answers.

        The operation does not use the database. It ignores the query.
        """
        # A coroutine: all threads may wait for the database.
        return responses.one({"status": "ok"})

    @routes.add("GET", "/readyz", returns=setup.READINESS, errors=ANYWHERE, prefix="")
    def readyz(_: _AnyQuery) -> Response:
        """Report whether the server can do its work; if not, the answer is 503 with the reason.

        The server is ready if the database is there, has this version's tables, accepts a write
        within the time that an action would wait, and accepted the worker's last write. The
        operation ignores the query.
        """
        leanbe.require_ready()
        worker = app.state.worker
        if worker is not None and worker.done():
            raise NotReady("The server's worker has failed.", hint="Start the server again.")
        return responses.one(_readiness(leanbe, works=worker is not None))


def _readiness(leanbe: Leanbe, *, works: bool) -> dict[str, Any]:
    due = leanbe.due()
    return {
        "database": SchemaState.CURRENT,
        "worker": "alive" if works else "off",
        "due": due.count,
        "inFlight": due.in_flight,
        "lagSeconds": due.lag_seconds(leanbe.clock.now()),
    }
