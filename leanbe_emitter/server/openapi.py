"""The API's document: OpenAPI 3.1, with the 22 events as webhooks."""

import json
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from leanbe_emitter.clock import ManualClock
from leanbe_emitter.emitter import Leanbe, Wanted
from leanbe_emitter.server import schemas
from leanbe_emitter.wire.catalogue import EVENT_NAMES, EVENTS, EventKind
from leanbe_emitter.wire.schema import envelope_schema

_ABOUT = """
The sending side of Leanbe's webhooks, to act on, control and watch. Actions only record; a worker
delivers at once. Every write answers with the header `Leanbe-Emitter-Cursor`, behind which comes
what it brought about: `POST /api/v1/deliveries/wait` takes it, so that no test has to sleep.
"""


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the document of an application; it is made when it is asked for first."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            summary="A local fake of Leanbe's webhooks.",
            description=" ".join(_ABOUT.split()),
            routes=app.routes,
            servers=[{"url": app.state.root_path}] if app.state.root_path else None,
        )
        # Shapes are written as they are: what FastAPI knows of models is not used.
        components = document.setdefault("components", {})
        components["schemas"] = {"Problem": schemas.PROBLEM}
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{}, {"token": []}]
        examples = _examples()
        document["webhooks"] = {each.name: _webhook(each, examples[each.name]) for each in EVENTS}
        app.openapi_schema = document
    return app.openapi_schema


def _examples() -> dict[str, Any]:
    """Return a body of each event, the same in every run."""
    clock = ManualClock(datetime(2023, 6, 29, 6, 56, 57, tzinfo=UTC))
    with Leanbe(seed="openapi", clock=clock) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1:8000/hooks/leanbe")
        rehearsed = leanbe.rehearse(Wanted(events=EVENT_NAMES))
    return {each.event: json.loads(each.body) for each in rehearsed}


def _webhook(kind: EventKind, example: Any) -> dict[str, Any]:
    schema = envelope_schema(kind.name)
    content = {"application/json": {"schema": schema, "example": example}}
    return {
        "post": {
            "summary": kind.meaning.removesuffix("."),
            "description": schema["description"],
            "security": [],
            "requestBody": {"required": True, "content": content},
            "responses": {"2XX": {"description": "Delivered; anything else is tried again."}},
        }
    }
