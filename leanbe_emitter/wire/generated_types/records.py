"""The records of a file of types, collected from the shapes of events.

Invariant: a record stands behind the records that it contains, and no two have one name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet, Unset
from leanbe_emitter.wire.event_names import EVENT_NAMES, Source, event_kind
from leanbe_emitter.wire.payloads.event_payloads import (
    document_shape,
    envelope_shape,
    payload_shape,
)
from leanbe_emitter.wire.payloads.shapes import Field, ListOf, Object, Shape, Text

#: The first lines of each file, without the marks of a comment.
HEADER = (
    "Types of Leanbe's webhooks, made by leanbe-emitter.",
    "",
    "They have no signature check: verify the raw body before you decode it.",
    'Leanbe\'s article does not show a field that is marked "(inferred)".',
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One type with named members.

    Attributes:
        name: its name, in PascalCase.
        meaning: a sentence about it; empty if its members say enough.
        fields: its members, in the order of the document.
    """

    name: str
    meaning: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True)
class TypeFile:
    """The content of a file of types.

    Attributes:
        records: the payloads and their parts.
        bodies: the bodies of requests by their event's name.
        is_null: whether an optional member is null; else it is absent.
    """

    records: Sequence[Record]
    bodies: Sequence[tuple[str, Record]]
    is_null: bool


def type_file(
    events: Sequence[str] = EVENT_NAMES, assumptions: AssumptionSet = ARTICLE
) -> TypeFile:
    """Collect the records of some events.

    Args:
        events: their names.
        assumptions: they shape payloads and bodies (contract d-1, d-11, d-15, d-16, d-18, d-26).

    Raises:
        InvalidValue: there is no such event; the hint names the nearest.
    """
    payloads = {event: _payload(event, assumptions) for event in events}
    records: dict[str, Record] = {}
    for payload in payloads.values():
        users = [event for event, each in payloads.items() if each.name == payload.name]
        for shape in _with_parts(payload):
            meaning = f"The payload of {_listed(users)}." if shape is payload else ""
            records.setdefault(
                shape.name, Record(name=shape.name, meaning=meaning, fields=shape.fields)
            )
    return TypeFile(
        records=[*records.values()],
        bodies=[(each, _body(each, payloads[each], assumptions)) for each in events],
        is_null=assumptions.unset is Unset.NULL,
    )


def meaning_of(field: Field) -> str:
    """Return the sentence about a field: its choices, and a mark if it is inferred."""
    words = [field.meaning]
    if isinstance(field.shape, Text) and len(field.shape.choices) > 1:
        words.append(f"One of: {', '.join(field.shape.choices)}.")
    if field.source is Source.INFERRED:
        words.append("(inferred)")
    return " ".join(words)


def type_name(shape: Shape, plain: Mapping[type[Shape], str], *, list_of: str) -> str:
    """Return the name of a value's type.

    Args:
        shape: the value's shape.
        plain: the language's name for each kind of value but objects and lists.
        list_of: the language's list, with ``{}`` for the name of its items' type.
    """
    match shape:
        case Object(name=name):
            return name
        case ListOf(item=item):
            return list_of.format(item.name)
        case _:
            return plain[type(shape)]


def _payload(event: str, assumptions: AssumptionSet) -> Object:
    """Return an event's payload with a name: its resource's, if it is the resource's document."""
    shape = payload_shape(event, assumptions)
    resource = event_kind(event).resource
    is_document = shape == document_shape(resource, assumptions)
    return replace(shape, name=_pascal(resource) if is_document else f"{_pascal(event)}Payload")


def _body(event: str, payload: Object, assumptions: AssumptionSet) -> Record:
    kind = event_kind(event)
    first, *rest = envelope_shape(event, assumptions).fields
    return Record(
        name=_pascal(event),
        meaning=f"The body of {event}. {kind.meaning}",
        fields=(replace(first, shape=payload), *rest),
    )


def _with_parts(shape: Object) -> Iterator[Object]:
    for field in shape.fields:
        part = _object_in(field.shape)
        if part is not None:
            yield from _with_parts(part)
    yield shape


def _object_in(shape: Shape) -> Object | None:
    if isinstance(shape, ListOf):
        return shape.item
    return shape if isinstance(shape, Object) else None


def _pascal(name: str) -> str:
    return "".join(part[0].upper() + part[1:] for part in name.split("."))


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
