"""JSON Schema of what is answered: made from the shapes of the documents where there are any."""

from collections.abc import Sequence
from typing import Any, Final

from leanbe_emitter.server.asked import Schema
from leanbe_emitter.storage.states import DeliveryStatus, Outcome
from leanbe_emitter.wire.catalogue import EVENT_NAMES
from leanbe_emitter.wire.schema import document_schema

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
SECRET: Final = object_of({"secret": _TEXT})
ASSUMPTION: Final = object_of(
    {
        "number": _TEXT,
        "name": _TEXT,
        "question": _TEXT,
        "evidence": _TEXT,
        "note": _TEXT,
        "kind": _TEXT,
        "values": list_of(_TEXT),
        "accepts": _TEXT,
        "article": _TEXT,
        "settledAt": _TEXT,
        "value": _TEXT,
    }
)
USER: Final = object_of({"_id": _ID, "firstName": _TEXT, "email": _TEXT})
EVENT: Final = object_of(
    {
        "_id": _ID,
        "event": {"type": "string", "enum": list(EVENT_NAMES)},
        "product": _ID,
        "sequence": {"type": "integer", "minimum": 1},
        "triggeredAt": _INSTANT,
        "payload": {"description": "The payload, as it was signed."},
    }
)
_HEADERS: Final = list_of(list_of(_TEXT))
ATTEMPT: Final = object_of(
    {
        "number": {"type": "integer", "minimum": 1},
        "outcome": {"type": "string", "enum": [each.value for each in Outcome]},
        "startedAt": _INSTANT,
        "durationMs": {"type": "number", "minimum": 0},
        "url": _TEXT,
        "request": object_of({"headers": _HEADERS, "body": _TEXT}),
        "answer": or_null(
            object_of(
                {
                    "status": {"type": "integer"},
                    "headers": _HEADERS,
                    "body": _TEXT,
                    "length": {"type": "integer"},
                }
            )
        ),
        "error": or_null(_TEXT),
        "fault": or_null(_TEXT),
        "assumptions": texts_by_name(),
    }
)
STATUS: Final[dict[str, Any]] = {"type": "string", "enum": [each.value for each in DeliveryStatus]}
DELIVERY: Final = object_of(
    {
        "_id": _ID,
        "status": STATUS,
        "nextDueAt": or_null(_INSTANT),
        "url": or_null(_TEXT),
        "event": EVENT,
        "attempts": list_of(ATTEMPT),
    }
)
CLOCK: Final = object_of(
    {"kind": {"type": "string", "enum": ["manual", "system"]}, "now": _INSTANT}
)
#: An attempt, with the ids of what it was made for.
MADE: Final = object_of(
    {
        "delivery": _ID,
        "event": {"type": "string", "enum": list(EVENT_NAMES)},
        **ATTEMPT["properties"],
    }
)
ADVANCED: Final = object_of({"now": _INSTANT, "attempts": list_of(MADE)})
FAULT: Final = object_of(
    {
        "_id": _ID,
        "kind": _TEXT,
        "how": or_null(_TEXT),
        "times": {"type": "integer", "minimum": 1},
        "fired": {"type": "integer", "minimum": 0},
        "event": or_null(_TEXT),
        "product": or_null(_ID),
        "mustFire": {
            "type": "boolean",
            "description": "Whether the Python test that armed it fails if it never fires.",
        },
    }
)
REDELIVERED: Final = object_of(
    {"job": _TEXT, "made": {"type": "integer"}, "withoutUrl": {"type": "integer"}}
)
EVENT_KIND: Final = object_of(
    {
        "name": _TEXT,
        "group": _TEXT,
        "meaning": _TEXT,
        "triggerSource": _TEXT,
        "payloadSource": _TEXT,
    }
)
_COUNT: Final = {"type": "integer", "minimum": 0}
INFO: Final = object_of(
    {
        "version": _TEXT,
        "db": _TEXT,
        "clock": CLOCK,
        "counts": object_of(
            {
                "products": _COUNT,
                "events": _COUNT,
                "deliveries": object_of({each.value: _COUNT for each in DeliveryStatus}),
            }
        ),
        "assumptions": texts_by_name(),
    }
)
HEALTH: Final = object_of({"status": {"const": "ok"}})
READINESS: Final = object_of(
    {
        "database": {"type": "string", "enum": ["current"]},
        "worker": {"type": "string", "enum": ["alive", "off"]},
        "due": _COUNT,
        "inFlight": _COUNT,
        "lagSeconds": {"type": "number", "minimum": 0},
    }
)
TRIGGERED: Final = object_of({"event": EVENT, "delivery": or_null(DELIVERY)})


def document(resource: str) -> dict[str, Any]:
    """Return the schema of a resource's document, however a product reads the article.

    What a reading may leave out, name otherwise or add (contract d) is not held against it.
    """
    schema = document_schema(resource)
    required = schema["required"]
    open_to_readings: dict[str, Any] = _opened(schema)
    return {**open_to_readings, "required": required}


def _opened(schema: Any) -> Any:
    match schema:
        case {"type": "object"}:
            members = {
                name: _nullable(_opened(member), is_optional=name not in schema["required"])
                for name, member in schema.get("properties", {}).items()
            }
            kept = {key: schema[key] for key in ("description", "type") if key in schema}
            return {**kept, "properties": members}
        case {"type": "array"}:
            return {**schema, "items": _opened(schema["items"])}
        case _:
            return schema


def _nullable(schema: dict[str, Any], *, is_optional: bool) -> dict[str, Any]:
    return or_null(schema) if is_optional and "type" in schema else schema


#: Fields that name something else are set by what names it.
_REFERENCES: Final = ("owner", "assigned", "customer")


def settable(resource: str, names: Sequence[str]) -> dict[str, Any]:
    """Return the schema of the fields of a document that may be set, each of them optional."""
    members: dict[str, Any] = document_schema(resource)["properties"]
    required = document_schema(resource)["required"]
    return {
        "type": "object",
        "properties": {
            name: _nullable(_given(name, members[name]), is_optional=name not in required)
            for name in names
        },
        "additionalProperties": False,
    }


def _given(name: str, member: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field as it is set: what is inside, the library looks at."""
    if name in _REFERENCES:
        who = "an id, or a part of one" if name == "customer" else "an e-mail, or an id"
        return {"type": "string", "description": f"{member['description']} Set by {who}."}
    inner = ("properties", "required", "additionalProperties", "items")
    return {key: value for key, value in member.items() if key not in inner}
