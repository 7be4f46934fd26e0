"""What the server says of itself: to people, and to whoever starts and stops it."""

from typing import Annotated, Any, TypeAlias

from fastapi import Depends, FastAPI
from fastapi.responses import Response

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.parsing import AnyQuery
from leanbe_emitter.server.http.problems import NotReady
from leanbe_emitter.server.http.routing import ANYWHERE, HEALTH, READING, Routes
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.storage.schema.migrate import SchemaState

#: Probes send what they will in their queries.
_Probed: TypeAlias = Annotated[None, Depends(AnyQuery())]


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add what is asked of the server itself."""
    routes = Routes(app, leanbe, "Server")

    @routes.read("/info", gives=setup.INFO)
    def info() -> Response:
        """Show version, database, time, how much there is, and what new products assume."""
        return responses.one(leanbe.info())

    @routes.add("GET", "/openapi.json", gives=setup.OPENAPI, refuses=READING, prefix="")
    def openapi() -> Response:
        """Show this document."""
        return responses.one(app.openapi())

    @routes.add("GET", "/healthz", gives=setup.HEALTH, refuses=ANYWHERE, prefix="")
    async def healthz(_: _Probed) -> Response:
        """Say that the server answers.

        It asks nobody else. What a probe adds to the path is passed over.
        """
        # On the loop: all threads may be waiting for a database.
        return responses.one({"status": "ok"})

    @routes.add("GET", "/readyz", gives=setup.READINESS, refuses=HEALTH, prefix="")
    def readyz(_: _Probed) -> Response:
        """Say whether the server can do its work: 503 and the reason, where it cannot.

        It can where its database is there, has the tables of this program, can be written within
        the time that an action would wait, and took what the worker inside wrote last. What a probe
        adds to the path is passed over.
        """
        leanbe.require_ready()
        worker = app.state.worker
        if worker is not None and worker.done():
            raise NotReady("The worker inside has failed.", hint="Start the server again.")
        return responses.one(_readiness(leanbe, works=worker is not None))


def _readiness(leanbe: Leanbe, *, works: bool) -> dict[str, Any]:
    due = leanbe.due()
    age = 0.0
    if due.oldest_due_at is not None:
        age = (leanbe.clock.now() - from_milliseconds(due.oldest_due_at)).total_seconds()
    return {
        "database": SchemaState.CURRENT,
        "worker": "alive" if works else "off",
        "due": due.count,
        "inFlight": due.in_flight,
        "lagSeconds": max(0.0, age),
    }
