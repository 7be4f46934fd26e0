"""JSON Schema of a product's documents: whole documents in responses, fields in requests."""

from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any, Final

from leanbe_emitter.ids import Ids
from leanbe_emitter.server.schemas.json_schema import (
    DATE,
    EMAIL,
    NON_SPACE,
    enum,
    identifier,
    instant,
    object_of,
    or_null,
)
from leanbe_emitter.server.schemas.setup import AT, PRODUCT_ID
from leanbe_emitter.storage.schema.states import VoteDirection
from leanbe_emitter.wire.payloads.declarations import REFERENCES, Declaration
from leanbe_emitter.wire.payloads.event_payloads import RESOURCES
from leanbe_emitter.wire.payloads.schema import document_schema
from leanbe_emitter.wire.samples.sample_payloads import SamplePayloads
from leanbe_emitter.wire.stringify import JSON


def document(resource: str) -> dict[str, Any]:
    """Return the schema of a resource's document that fits under all assumptions.

    It allows what assumptions leave out, rename or add.
    """
    schema = document_schema(resource)
    required = schema["required"]
    opened: dict[str, Any] = _opened(schema)
    return {**opened, "required": required, "examples": [_samples()[resource]]}


#: A vote for or against an idea.
VOTE: Final = object_of(
    {
        "customer": or_null(identifier(PRODUCT_ID, "Id of the customer; null: an anonymous vote.")),
        "kind": enum(VoteDirection, "Direction of the vote."),
        "at": instant(AT, "Time at which the customer voted first."),
    }
)


@lru_cache(maxsize=1)
def _samples() -> dict[str, dict[str, JSON]]:
    """Return a document of each resource, the same in every run."""
    samples = SamplePayloads(
        product={"_id": PRODUCT_ID, "name": "Acme"},
        ids=Ids(Random(0)),  # noqa: S311 - the same in every run
        now=datetime(2023, 6, 29, 6, 56, 57, tzinfo=UTC),
    )
    return {name: samples.payload(f"{name}.created") for name in RESOURCES}


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
        case {"format": "email"}:
            return _email(schema)
        case _:
            return schema


def _nullable(schema: dict[str, Any], *, is_optional: bool) -> dict[str, Any]:
    return or_null(schema) if is_optional and "type" in schema else schema


def _email(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an e-mail address; the server accepts more than ``format`` does."""
    return {**{key: schema[key] for key in schema if key != "format"}, **EMAIL}


_KEY_RESULTS: Final = "keyResults"


def settable(resource: Declaration, *, is_new: bool) -> dict[str, Any]:
    """Return the schema of a document's fields that a request can set.

    A new document needs its key; a change needs one field at least.
    """
    schema = document_schema(resource.name)
    members: dict[str, Any] = schema["properties"]
    return {
        "type": "object",
        "properties": {
            name: _nullable(_field(name, members[name]), is_optional=name not in schema["required"])
            for name in resource.settable
        },
        "additionalProperties": False,
        **({"required": [resource.key]} if is_new else {"minProperties": 1}),
    }


def _field(name: str, member: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field in a request."""
    if name == _KEY_RESULTS:
        # A key result with an id exists, and is changed; one without is new.
        key_result = {
            **_in_request(member["items"]),
            "anyOf": [{"required": ["_id"]}, {"required": ["title", "targetValue"]}],
        }
        return {**member, "items": key_result}
    if name in REFERENCES and "items" in member:
        return {**member, "items": {"type": "string"}}
    if name in REFERENCES:
        reference = "an id, or a part of it" if name == "customer" else "an e-mail, or an id"
        return {"type": "string", "description": f"{member['description']} Give {reference}."}
    return _in_request(member)


def _in_request(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value in a request: an object with an id requires nothing else."""
    match schema:
        case {"type": "object", "properties": members}:
            required = schema["required"]
            properties = {
                name: _nullable(_in_request(member), is_optional=name not in required)
                for name, member in members.items()
            }
            needed = [] if "_id" in members else required
            return {**schema, "properties": properties, "required": needed}
        case {"type": "array", "items": item}:
            return {**schema, "items": _entry(_in_request(item))}
        case {"format": "email"}:
            return _email(schema)
        case {"format": "date-time"}:
            return {**{key: schema[key] for key in schema if key != "format"}, **DATE}
        case {"minLength": 1}:
            return {**schema, "pattern": NON_SPACE}
        case _:
            return schema


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list's entry: an object of one member, or that member's value."""
    members = [*item["properties"].values()]
    return {"anyOf": [item, members[0]]} if len(members) == 1 else item
