"""JSON Schema (2020-12) of payloads, request bodies and documents.

The schemas are closed, so that they find a misspelt key. ``x-leanbe-source`` says of each field
whether the article shows it (``stated``) or not (``inferred``).
"""

from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet, Unset
from leanbe_emitter.wire.event_names import EVENT_NAMES, event_kind
from leanbe_emitter.wire.payloads.event_payloads import (
    document_shape,
    envelope_shape,
    payload_shape,
)
from leanbe_emitter.wire.payloads.shapes import (
    Anything,
    Boolean,
    Field,
    FreeForm,
    Integer,
    ListOf,
    Number,
    Object,
    Shape,
    Text,
)
from leanbe_emitter.wire.stringify import JSON

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SOURCE = "x-leanbe-source"


def json_schema(event: str, assumptions: AssumptionSet = ARTICLE) -> dict[str, JSON]:
    """Return the JSON Schema of an event's payload.

    Args:
        event: one of the 22 names.
        assumptions: they shape the payload (contract d-11, d-12, d-15, d-16, d-18, d-26).

    Raises:
        InvalidValue: there is no such event; the hint names the nearest.
    """
    return _head(event) | _object(payload_shape(event, assumptions), assumptions.unset)


def envelope_schema(event: str, assumptions: AssumptionSet = ARTICLE) -> dict[str, JSON]:
    """Return the JSON Schema of the body of an event's request (also contract d-1, d-4)."""
    return _head(event) | _object(envelope_shape(event, assumptions), assumptions.unset)


def bodies_schema(assumptions: AssumptionSet = ARTICLE) -> dict[str, JSON]:
    """Return the JSON Schema that the bodies of all events fit; ``$defs`` has one of each."""
    return {
        "$schema": _DIALECT,
        "title": "The body of a webhook of Leanbe",
        "oneOf": [{"$ref": f"#/$defs/{event}"} for event in EVENT_NAMES],
        "$defs": {event: envelope_schema(event, assumptions) for event in EVENT_NAMES},
    }


def document_schema(resource: str) -> dict[str, JSON]:
    """Return the JSON Schema of a resource's document under the article's assumptions."""
    return _object(document_shape(resource), ARTICLE.unset)


def _head(event: str) -> dict[str, JSON]:
    kind = event_kind(event)
    return {
        "$schema": _DIALECT,
        "title": event,
        "description": f"{kind.meaning} {kind.provenance}",
        _SOURCE: kind.payload_source.value,
    }


def _object(shape: Object, unset: Unset) -> dict[str, JSON]:
    return {
        "type": "object",
        "properties": {each.name: _member(each, unset) for each in shape.fields},
        "required": [each.name for each in shape.fields if each.required or unset is Unset.NULL],
        "additionalProperties": False,
    }


def _member(field: Field, unset: Unset) -> JSON:
    value = _value(field.shape, unset)
    if unset is Unset.NULL and not field.required:
        value["type"] = [value["type"], "null"]
    return {"description": field.meaning, _SOURCE: field.source.value} | value


def _value(  # noqa: PLR0911 - one return for each kind of value
    shape: Shape, unset: Unset
) -> dict[str, JSON]:
    match shape:
        case Text():
            return _text(shape)
        case Integer():
            return _integer(shape)
        case Number():
            return {"type": "number"}
        case Boolean(always=always):
            return {"type": "boolean"} if always is None else {"type": "boolean", "const": always}
        case FreeForm():
            return {"type": "object"}
        case Anything():
            return {}
        case Object():
            return _object(shape, unset)
        case ListOf(item=item):
            return {"type": "array", "items": _object(item, unset)}


def _integer(shape: Integer) -> dict[str, JSON]:
    schema: dict[str, JSON] = {"type": "integer"}
    if shape.minimum is not None:
        schema["minimum"] = shape.minimum
    if shape.maximum is not None:
        schema["maximum"] = shape.maximum
    return schema


def _text(shape: Text) -> dict[str, JSON]:
    schema: dict[str, JSON] = {"type": "string"}
    if shape.choices:
        schema["enum"] = list(shape.choices)
    if shape.pattern:
        schema["pattern"] = shape.pattern
    if shape.format:
        schema["format"] = shape.format
    if shape.filled:
        schema["minLength"] = 1
    return schema
