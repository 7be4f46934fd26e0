"""Links: what can be done next with what an answer speaks of, by the ids that are in it.

They are read from the paths: below where something is made stands all that can be done with it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from leanbe_emitter.server.schemas import deliveries, setup

#: Where answers that speak of something else than what their path makes have its id.
_ELSEWHERE: Final = (
    (deliveries.DELIVERY, {"_id": "/api/v1/deliveries"}),
    (deliveries.TRIGGERED, {"event/_id": "/api/v1/events", "delivery/_id": "/api/v1/deliveries"}),
    (
        setup.page(deliveries.TRIGGERED),
        {"items/0/event/_id": "/api/v1/events", "items/0/delivery/_id": "/api/v1/deliveries"},
    ),
)


def link(paths: Mapping[str, Any]) -> None:
    """Add links to every operation of a document's paths that makes something."""
    for path, operations in paths.items():
        for operation in operations.values():
            made = operation["responses"].get("201")
            if made is not None:
                made["links"] = dict(_links(path, made, paths))


def _links(
    path: str, made: Mapping[str, Any], paths: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, above in _places(path, made).items():
        known = {name: f"$request.path.{name}" for name in _parameters(above)}
        for below, operations in paths.items():
            parameter = _one_more(above, below)
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


def _places(path: str, made: Mapping[str, Any]) -> Mapping[str, str]:
    """Return where an answer has ids, each with the path below which they stand."""
    (content,) = made["content"].values()
    for schema, places in _ELSEWHERE:
        if content["schema"] == schema:
            return places
    return {"_id": path}


def _one_more(above: str, below: str) -> str | None:
    """Return the parameter that a path has beyond another one, if that is all it takes."""
    if not below.startswith(f"{above}/{{"):
        return None
    more = _parameters(below.removeprefix(above))
    return more[0] if len(more) == 1 else None


def _parameters(path: str) -> list[str]:
    return [part.strip("{}") for part in path.split("/") if part.startswith("{")]
