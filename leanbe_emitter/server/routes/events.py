"""Events that were recorded, and the catalogue of the 22 events."""

from typing import Annotated, Any, Final

from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http import responses
from leanbe_emitter.server.http.problems import lookup_in_path
from leanbe_emitter.server.http.query_parameters import EVENT_FILTERS, PAGING, Query, QueryParameter
from leanbe_emitter.server.http.responses import PAGE_BYTES
from leanbe_emitter.server.http.routing import Routes
from leanbe_emitter.server.schemas import deliveries, setup
from leanbe_emitter.server.schemas.json_schema import string
from leanbe_emitter.wire.event_names import EventKind, event_kind

_LIST: Final = Query(*EVENT_FILTERS, *PAGING)
_SCHEMA_QUERY: Final = Query(
    QueryParameter(
        name="product",
        schema=string("Acme", "Product whose assumptions apply; by default, those of the article."),
    )
)


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operations on events."""
    routes = Routes(app, leanbe, "Events")

    @routes.read_list("/events", returns=setup.page(deliveries.EVENT_WITH_DELIVERIES))
    def list_(query: Annotated[dict[str, Any], _LIST]) -> Response:
        """List events, the newest first, with or without a delivery."""
        page = leanbe.events.list(**query, max_bytes=PAGE_BYTES)
        return responses.page(leanbe.events.with_deliveries(page), cursor=page.cursor)

    @routes.read("/events/catalogue", returns=setup.page(deliveries.EVENT_KIND))
    def catalogue() -> Response:
        """List the 22 events with their meanings."""
        return responses.page(map(_document, leanbe.events.catalogue()))

    @routes.read("/events/catalogue/{name}/schema", returns=deliveries.SCHEMA)
    def schema(name: str, query: Annotated[dict[str, Any], _SCHEMA_QUERY]) -> Response:
        """Show the JSON Schema of an event's payload."""
        kind = lookup_in_path(event_kind, name)
        return responses.one(leanbe.events.schema(kind.name, **query))

    @routes.read("/events/{reference}", returns=deliveries.EVENT_WITH_DELIVERIES)
    def show(reference: str) -> Response:
        """Show one event, with the ids of its deliveries."""
        (event,) = leanbe.events.with_deliveries([leanbe.events.get(reference)])
        return responses.one(event)


def _document(kind: EventKind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "group": kind.group,
        "meaning": kind.meaning,
        "triggerSource": kind.trigger_source,
        "payloadSource": kind.payload_source,
    }
