"""The OpenAPI 3.1 document, with the 22 events as webhooks.

Each route has its operation (``http.routing``). This module adds the parameters of paths, examples
and links to all of them. Links follow from the paths: the operations on a new object are below the
path that creates it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute

import leanbe_emitter
from leanbe_emitter.clock import ManualClock
from leanbe_emitter.library import Leanbe, TriggerRequest
from leanbe_emitter.server.http import problems
from leanbe_emitter.server.http.access import HEALTH_PATHS
from leanbe_emitter.server.http.routing import OperationRoute
from leanbe_emitter.server.schemas import components, deliveries, setup
from leanbe_emitter.server.schemas.json_schema import enum, example_of, string
from leanbe_emitter.snippets import NAMES
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTION_NAMES
from leanbe_emitter.wire.event_names import EVENT_NAMES, EVENTS, EventKind
from leanbe_emitter.wire.payloads.schema import envelope_schema

_ABOUT = """
The sending side of Leanbe's webhooks: act, control the deliveries, and watch them. An action only
records its events; a worker delivers them at once. The response of every write has a cursor in the
header `Leanbe-Emitter-Cursor`, and all changes of the write come after it. Give the cursor to
`POST /api/v1/deliveries/wait`, and no test has to sleep. The server reads a body as JSON in UTF-8,
whatever its `Content-Type` says.
"""
_SERVER: Final = "This server; the URL is relative to the URL of this document."
_TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "Token of the server. A server that has none takes every request.",
}
_SIX: Final = "or the first or last six digits of the id"
_NO_SLASH: Final = "If the name has a slash, use the id."
#: Parameters of paths, by the end of the path up to them; the first match counts.
_PATH_PARAMETERS: Final = {
    "/products/{product}": string("Acme", f"The product: its name, its id, {_SIX}. {_NO_SLASH}"),
    "/customers/{reference}": string(
        "ana@example.com", f"The customer: e-mail, id, {_SIX}. {_NO_SLASH}"
    ),
    "/users/{reference}": string("bo@example.com", f"The user: e-mail, id, {_SIX}. {_NO_SLASH}"),
    "/checks/{check}": string("64a28ec49c3a1954e6a2e504", "The check: its id."),
    "/{reference}": string("649d2ac49c3a1954e6a2e421", f"The object: its id, {_SIX}."),
    "/assumptions/{name}": enum(ASSUMPTION_NAMES, "Name of the assumption."),
    "/snippets/{name}": enum(NAMES, "A language, a framework or a program."),
    "/catalogue/{name}": enum(EVENT_NAMES, "Name of the event."),
}

#: Responses whose ids belong to other paths: places of the ids, each with its path.
_OTHER_PLACES: Final = (
    (deliveries.DELIVERY, {"_id": "/api/v1/deliveries"}),
    (deliveries.TRIGGERED, {"event/_id": "/api/v1/events", "delivery/_id": "/api/v1/deliveries"}),
    (
        setup.page(deliveries.TRIGGERED),
        {"items/0/event/_id": "/api/v1/events", "items/0/delivery/_id": "/api/v1/deliveries"},
    ),
)


def openapi_document(app: Starlette) -> dict[str, Any]:
    """Return an application's document."""
    paths = _paths(app.routes)
    _add_links(paths)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "leanbe-emitter",
            "summary": "A local fake of Leanbe's webhooks.",
            "description": " ".join(_ABOUT.split()),
            "version": leanbe_emitter.__version__,
        },
        "servers": [{"url": app.state.root_path or "/", "description": _SERVER}],
        "paths": components.named(paths),
        "components": {
            "schemas": components.schemas(),
            "responses": problems.openapi_responses(),
            "securitySchemes": {"token": _TOKEN},
        },
    }
    if app.state.needs_token:
        _require_token(document)
    examples = _examples()
    document["webhooks"] = {each.name: _webhook(each, examples[each.name]) for each in EVENTS}
    return document


def _paths(routes: Sequence[BaseRoute]) -> dict[str, dict[str, Any]]:
    """Return the operations of an application's routes, by path and method."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if isinstance(route, OperationRoute):
            operation = deepcopy(route.operation)
            _add_path_parameters(route, operation)
            _add_examples(operation)
            paths.setdefault(route.path, {})[route.method.lower()] = operation
    return paths


def _require_token(document: dict[str, Any]) -> None:
    """Require the token of all operations but health checks."""
    document["security"] = [{"token": []}]
    for path in HEALTH_PATHS:
        for operation in document["paths"][path].values():
            operation["security"] = []


def _add_path_parameters(route: OperationRoute, operation: dict[str, Any]) -> None:
    in_path = [_path_parameter(route.path, name) for name in route.param_convertors]
    if in_path:
        operation["parameters"] = [*in_path, *operation.get("parameters", ())]


def _path_parameter(path: str, name: str) -> dict[str, Any]:
    before = "".join(path.partition(f"{{{name}}}")[:2])
    schema = next(each for end, each in _PATH_PARAMETERS.items() if before.endswith(end))
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": schema["description"],
        "schema": schema,
        "example": example_of(schema),
    }


def _add_examples(operation: Mapping[str, Any]) -> None:
    """Add an example to every body and response without one."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "example" not in content:
            content["example"] = example_of(content["schema"])
    for response in operation["responses"].values():
        for content in response.get("content", {}).values():
            content["example"] = example_of(content["schema"])


def _examples() -> dict[str, Any]:
    """Return an example of each event's request body, the same in every run."""
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
            "responses": {
                "2XX": {"description": "Delivered. After any other answer, the server tries again."}
            },
        }
    }


def _add_links(paths: Mapping[str, Any]) -> None:
    """Add links to the responses that have a new id, to the operations that take it."""
    for path, operations in paths.items():
        for operation in operations.values():
            responses = operation["responses"]
            created = responses.get("201", responses.get("202"))
            if created is not None:
                created["links"] = dict(_links(path, created, paths))


def _links(
    path: str, created: Mapping[str, Any], paths: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, above in _places(path, created).items():
        known = {name: f"$request.path.{name}" for name in _parameters(above)}
        for below, operations in paths.items():
            parameter = _further_parameter(above, below)
            if parameter is not None:
                parameters = {**known, parameter: f"$response.body#/{place}"}
                for operation in operations.values():
                    yield operation["operationId"], _link(operation, parameters)


def _link(operation: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    return {
        "operationId": operation["operationId"],
        "description": operation["summary"] + ".",
        "parameters": parameters,
    }


def _places(path: str, created: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the places of ids in a response, each with the path of its objects."""
    (content,) = created["content"].values()
    for schema, places in _OTHER_PLACES:
        if content["schema"] == schema:
            return places
    return {"_id": path}


def _further_parameter(above: str, below: str) -> str | None:
    """Return the one parameter that a path has beyond another, or None."""
    if not below.startswith(f"{above}/{{"):
        return None
    more = _parameters(below.removeprefix(above))
    return more[0] if len(more) == 1 else None


def _parameters(path: str) -> list[str]:
    return [part.strip("{}") for part in path.split("/") if part.startswith("{")]
