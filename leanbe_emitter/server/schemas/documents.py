"""JSON Schema of the documents of products: as they are answered, and as their fields are set."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any, Final

from leanbe_emitter.ids import Ids
from leanbe_emitter.server.schemas.json_schema import DATE, EMAIL, SEEN, or_null
from leanbe_emitter.server.schemas.setup import PRODUCT_ID
from leanbe_emitter.wire.payloads.resources import RESOURCES
from leanbe_emitter.wire.payloads.schema import document_schema
from leanbe_emitter.wire.samples.sample_payloads import SamplePayloads
from leanbe_emitter.wire.stringify import JSON


def document(resource: str) -> dict[str, Any]:
    """Return the schema of a resource's document, however a product reads the article.

    It allows what an assumption may leave out, rename or add (contract d).
    """
    schema = document_schema(resource)
    required = schema["required"]
    open_to_assumptions: dict[str, Any] = _opened(schema)
    return {**open_to_assumptions, "required": required, "examples": [_samples()[resource]]}


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
    """Return the schema of an e-mail address as the server has it: the format's are fewer."""
    return {**{key: schema[key] for key in schema if key != "format"}, **EMAIL}


#: Fields that name something else are set by what names it.
_REFERENCES: Final = ("owner", "assigned", "customer")
_PRODUCTS: Final = "products"
_KEY_RESULTS: Final = "keyResults"


def settable(resource: str, names: Sequence[str], *, needed: Sequence[str] = ()) -> dict[str, Any]:
    """Return the schema of the fields of a document that may be set.

    Args:
        resource: one of ``wire.payloads.RESOURCES``.
        names: of those fields.
        needed: those that have to be there; without any, at least one field has to.
    """
    members: dict[str, Any] = document_schema(resource)["properties"]
    required = document_schema(resource)["required"]
    return {
        "type": "object",
        "properties": {
            name: _nullable(_given(name, members[name]), is_optional=name not in required)
            for name in names
        },
        "additionalProperties": False,
        **({"required": [*needed]} if needed else {"minProperties": 1}),
    }


def _given(name: str, member: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field as it is set."""
    if name == _KEY_RESULTS:
        # One that is there is edited, by its id; any other is new.
        one = {
            **_taken(member["items"]),
            "anyOf": [{"required": ["_id"]}, {"required": ["title", "targetValue"]}],
        }
        return {**member, "items": one}
    if name == _PRODUCTS:
        return {**member, "items": {"type": "string"}}
    if name in _REFERENCES:
        who = "an id, or a part of one" if name == "customer" else "an e-mail, or an id"
        return {"type": "string", "description": f"{member['description']} Set by {who}."}
    return _taken(member)


def _taken(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value as it is taken: what bears an id may leave out all but that."""
    match schema:
        case {"type": "object", "properties": members}:
            required = schema["required"]
            taken = {
                name: _nullable(_taken(member), is_optional=name not in required)
                for name, member in members.items()
            }
            needed = [] if "_id" in members else required
            return {**schema, "properties": taken, "required": needed}
        case {"type": "array", "items": item}:
            return {**schema, "items": _entry(_taken(item))}
        case {"format": "email"}:
            return _email(schema)
        case {"format": "date-time"}:
            return {**{key: schema[key] for key in schema if key != "format"}, **DATE}
        case {"minLength": 1}:
            return {**schema, "pattern": SEEN}
        case _:
            return schema


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an entry; one of a single member may be given as that alone."""
    members = [*item["properties"].values()]
    return {"anyOf": [item, members[0]]} if len(members) == 1 else item
