"""OpenAPI links: from each response that has a new id to the operations that take the id.

The links follow from the paths: the operations on a new object are below the path that creates it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from leanbe_emitter.server.schemas import deliveries, setup

#: Responses whose ids belong to other paths: places of the ids, each with its path.
_OTHER_PLACES: Final = (
    (deliveries.DELIVERY, {"_id": "/api/v1/deliveries"}),
    (deliveries.TRIGGERED, {"event/_id": "/api/v1/events", "delivery/_id": "/api/v1/deliveries"}),
    (
        setup.page(deliveries.TRIGGERED),
        {"items/0/event/_id": "/api/v1/events", "items/0/delivery/_id": "/api/v1/deliveries"},
    ),
)


def add_links(paths: Mapping[str, Any]) -> None:
    """Add links to every operation that creates something."""
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
