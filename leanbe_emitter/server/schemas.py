"""JSON Schema of what is answered: made from the shapes of the documents where there are any."""

from typing import Any, Final

from leanbe_emitter.server.asked import Schema

_TEXT: Final = {"type": "string"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_ID: Final = {"type": "string", "pattern": "^[0-9a-f]{24}$"}


def object_of(properties: Schema, *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the schema of an object with these members and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def list_of(item: Schema) -> dict[str, Any]:
    """Return the schema of an array."""
    return {"type": "array", "items": dict(item)}


def or_null(schema: Schema) -> dict[str, Any]:
    """Return the schema of a value that may be missing."""
    return {**schema, "type": [schema["type"], "null"]}


def page(item: Schema) -> dict[str, Any]:
    """Return the schema of a part of a list."""
    return object_of({"items": list_of(item), "cursor": or_null(_TEXT)})


def texts_by_name() -> dict[str, Any]:
    """Return the schema of an object whose members are texts."""
    return {"type": "object", "additionalProperties": _TEXT}


PROBLEM: Final = {
    **object_of(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "code": _TEXT,
            "detail": _TEXT,
            "hint": _TEXT,
        }
    ),
    "description": "What went wrong, and what to do: `code` is for programs.",
    "additionalProperties": True,
}
WEBHOOK: Final = object_of(
    {
        "url": or_null(_TEXT),
        "hasSecret": {"type": "boolean"},
        "headers": list_of(_TEXT),
        "caFile": or_null(_TEXT),
        "insecure": {"type": "boolean"},
        "secret": {**_TEXT, "description": "At its creation only."},
    },
    optional=("secret",),
)
PRODUCT: Final = object_of(
    {
        "_id": _ID,
        "name": _TEXT,
        "webhook": WEBHOOK,
        "assumptions": texts_by_name(),
        "statuses": list_of(_TEXT),
        "createdAt": _INSTANT,
        "updatedAt": _INSTANT,
    }
)
