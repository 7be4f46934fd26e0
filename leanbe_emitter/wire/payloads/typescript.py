"""TypeScript types of payloads and request bodies, with marks on inferred fields.

Each type is written at the place of its use, so that the types of several events can share a file
without a clash of names.
"""

import json

from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet, Unset
from leanbe_emitter.wire.event_names import Source, event_kind
from leanbe_emitter.wire.payloads.event_payloads import envelope_shape, payload_shape
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


def typescript(event: str, assumptions: AssumptionSet = ARTICLE) -> str:
    """Return two exported interfaces: an event's payload, and the body of its request.

    Args:
        event: one of the 22 names.
        assumptions: they shape payload and body (contract d-1, d-11, d-15, d-16, d-18, d-26).

    Raises:
        InvalidValue: there is no such event; the hint names the nearest.
    """
    kind = event_kind(event)
    name = "".join(part[0].upper() + part[1:] for part in event.split("."))
    written = _object(payload_shape(event, assumptions), assumptions, 0)
    body, *rest = envelope_shape(event, assumptions).fields
    return "\n".join(
        [
            f"/** {event}: {kind.meaning} {kind.provenance} */",
            f"export interface {name}Payload {written}",
            "",
            f"/** The body of the request: {event}. */",
            f"export interface {name} {{",
            f"  /** {body.meaning} */",
            f"  payload: {name}Payload;",
            *(line for field in rest for line in _member(field, assumptions, 1)),
            "}",
            "",
        ]
    )


def _object(shape: Object, assumptions: AssumptionSet, depth: int) -> str:
    lines = [line for field in shape.fields for line in _member(field, assumptions, depth + 1)]
    return "\n".join(["{", *lines, "  " * depth + "}"])


def _member(field: Field, assumptions: AssumptionSet, depth: int) -> tuple[str, str]:
    indent = "  " * depth
    null = assumptions.unset is Unset.NULL
    optional = "" if field.required or null else "?"
    or_null = " | null" if null and not field.required else ""
    mark = "" if field.source is Source.STATED else " (inferred)"
    return (
        f"{indent}/** {field.meaning}{mark} */",
        f"{indent}{field.name}{optional}: {_type(field.shape, assumptions, depth)}{or_null};",
    )


def _type(  # noqa: PLR0911 - one return for each kind of value
    shape: Shape, assumptions: AssumptionSet, depth: int
) -> str:
    match shape:
        case Text(choices=choices):
            return " | ".join(json.dumps(choice) for choice in choices) or "string"
        case Integer() | Number():
            return "number"
        case Boolean(always=always):
            return "boolean" if always is None else json.dumps(always)
        case FreeForm():
            return "Record<string, unknown>"
        case Anything():
            return "unknown"
        case Object():
            return _object(shape, assumptions, depth)
        case ListOf(item=item):
            return f"Array<{_object(item, assumptions, depth)}>"
