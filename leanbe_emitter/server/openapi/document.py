"""The API's document: OpenAPI 3.1, with the 22 events as webhooks.

FastAPI knows paths and operations; what is in a path, what may come next and what all of it looks
like is added here, for all operations alike.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from leanbe_emitter.clock import ManualClock
from leanbe_emitter.library import Leanbe, TriggerRequest
from leanbe_emitter.server.http import problems
from leanbe_emitter.server.http.access import OPEN
from leanbe_emitter.server.openapi.links import link
from leanbe_emitter.server.schemas import setup
from leanbe_emitter.server.schemas.examples import example_of
from leanbe_emitter.server.schemas.json_schema import choice, text
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTION_NAMES
from leanbe_emitter.wire.event_names import EVENT_NAMES, EVENTS, EventKind
from leanbe_emitter.wire.payloads.schema import envelope_schema

_ABOUT = """
The sending side of Leanbe's webhooks, to act on, control and watch. Actions only record; a worker
delivers at once. Every write answers with the header `Leanbe-Emitter-Cursor`, behind which comes
what it brought about: `POST /api/v1/deliveries/wait` takes it, so that no test has to sleep. A body
is read as JSON in UTF-8, whatever its `Content-Type` says.
"""
_SIX: Final = "or six digits of either end of the id"
_NO_SLASH: Final = "By the id alone where there is a slash in it."
#: What stands in a path, by how the path ends there; the first that fits.
_IN_PATHS: Final = {
    "/products/{product}": text("Acme", f"The product: its name, its id, {_SIX}. {_NO_SLASH}"),
    "/customers/{reference}": text("ana@example.com", f"Whose: e-mail, id, {_SIX}. {_NO_SLASH}"),
    "/users/{reference}": text("bo@example.com", f"Whose: e-mail, id, {_SIX}. {_NO_SLASH}"),
    "/{reference}": text("649d2ac49c3a1954e6a2e421", f"Which: its id, {_SIX}."),
    "/assumptions/{name}": choice(ASSUMPTION_NAMES, "The assumption."),
    "/catalogue/{name}": choice(EVENT_NAMES, "The event."),
}


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
        document["components"] = {"schemas": {"Problem": setup.PROBLEM}}
        if app.state.needs_token:
            _lock(document)
        for path, operations in document["paths"].items():
            for operation in operations.values():
                _name_path_parameters(path, operation)
                _add_examples(operation)
        link(document["paths"])
        examples = _examples()
        document["webhooks"] = {each.name: _webhook(each, examples[each.name]) for each in EVENTS}
        app.openapi_schema = document
    return app.openapi_schema


def _lock(document: dict[str, Any]) -> None:
    """Say that a token has to be shown, and where none has."""
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    for path in OPEN & document["paths"].keys():
        for operation in document["paths"][path].values():
            operation["security"] = []


def _name_path_parameters(path: str, operation: Mapping[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            before = path.partition(f"{{{parameter['name']}}}")
            schema = next(
                each for end, each in _IN_PATHS.items() if "".join(before[:2]).endswith(end)
            )
            parameter["description"] = schema["description"]
            parameter["schema"] = schema
            parameter["example"] = example_of(schema)


def _add_examples(operation: Mapping[str, Any]) -> None:
    """Give every body and every answer an example that has none yet."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "example" not in content:
            content["example"] = example_of(content["schema"])
    for status, answer in operation["responses"].items():
        for media_type, content in answer.get("content", {}).items():
            if media_type == problems.MEDIA_TYPE:
                content["example"] = problems.example(int(status))
            else:
                content["example"] = example_of(content["schema"])


def _examples() -> dict[str, Any]:
    """Return a body of each event, the same in every run."""
    clock = ManualClock(datetime(2023, 6, 29, 6, 56, 57, tzinfo=UTC))
    with Leanbe(seed="openapi", clock=clock) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1:8000/hooks/leanbe")
        dry_runs = leanbe.dry_run(TriggerRequest(events=EVENT_NAMES))
    return {each.event: json.loads(each.body) for each in dry_runs}


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
