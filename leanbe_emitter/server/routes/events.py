"""Events: what has happened, and what the 22 look like."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from fastapi.responses import Response

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.parsing import NARROWING, PAGING, Parameter, Queried, named_in_path
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.server.schemas.json_schema import text
from leanbe_emitter.wire.event_names import EventKind, event_kind

_LIST: Final = Queried(*NARROWING, *PAGING)
_READING: Final = Queried(
    Parameter(
        name="product",
        schema=text("Acme", "Under this product's assumptions. Default: the article's."),
    )
)


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations on events."""
    routes = Routes(app, leanbe, "Events")

    @routes.read("/events", gives=setup.page(deliveries.EVENT))
    def list_(asked: Annotated[dict[str, Any], Depends(_LIST)]) -> Response:
        """List events, the newest first, whether anything is owed for them or not."""
        page = leanbe.events.list(**asked)
        return responses.page(page, cursor=page.cursor)

    @routes.read("/events/catalogue", gives=setup.page(deliveries.EVENT_KIND))
    def catalogue() -> Response:
        """List the 22 events, with their meaning."""
        return responses.page(map(_document, leanbe.events.catalogue()))

    @routes.read("/events/catalogue/{name}/schema", gives=deliveries.SCHEMA)
    def schema(name: str, asked: Annotated[dict[str, Any], Depends(_READING)]) -> Response:
        """Show the JSON Schema of an event's payload."""
        kind = named_in_path(event_kind, name)
        return responses.one(leanbe.events.schema(kind.name, **asked))

    @routes.read("/events/{reference}", gives=deliveries.EVENT)
    def show(reference: str) -> Response:
        """Show one event, named by its id, or six digits of either end of it."""
        return responses.one(leanbe.events.get(reference))


def _document(kind: EventKind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "group": kind.group,
        "meaning": kind.meaning,
        "triggerSource": kind.trigger_source,
        "payloadSource": kind.payload_source,
    }
