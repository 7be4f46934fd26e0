"""The building blocks of documents' shapes: JSON's types, and objects with ordered fields.

A shape is data. Key order, JSON Schema, types in other languages and the paths of ``--set`` come
from it, so that no two of them can disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from leanbe_emitter.wire.assumptions.assumption_set import Unset
from leanbe_emitter.wire.event_names import Source
from leanbe_emitter.wire.stringify import JSON


@dataclass(frozen=True, kw_only=True)
class Text:
    """A string.

    Attributes:
        pattern: a regular expression for the whole text, valid in Python and in JavaScript.
        format: the format's name in JSON Schema.
        choices: the closed list of values; empty if any text is valid.
        filled: whether the text has at least one character.
    """

    pattern: str = ""
    format: str = ""
    choices: tuple[str, ...] = ()
    filled: bool = False


@dataclass(frozen=True, kw_only=True)
class Integer:
    """A whole number between two bounds, both included."""

    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, kw_only=True)
class Number:
    """Any number."""


@dataclass(frozen=True, kw_only=True)
class Boolean:
    """True or false; ``always`` is the value that the event implies."""

    always: bool | None = None


@dataclass(frozen=True, kw_only=True)
class FreeForm:
    """An object with unknown fields, which passes through unchanged."""


@dataclass(frozen=True, kw_only=True)
class Anything:
    """Any JSON value."""


@dataclass(frozen=True, kw_only=True)
class Object:
    """An object.

    Attributes:
        fields: its fields in their order.
        name: the name of its type in generated code; empty for a payload, whose event names it.
    """

    fields: tuple["Field", ...]
    name: str = ""

    def field(self, name: str) -> "Field | None":
        """Return the field of that name; None without one."""
        return self._by_name.get(name)

    @cached_property
    def members(self) -> Sequence[tuple[str, "Shape", bool]]:
        """Name, shape and ``required`` of each field."""
        return [(each.name, each.shape, each.required) for each in self.fields]

    @cached_property
    def _by_name(self) -> Mapping[str, "Field"]:
        return {each.name: each for each in self.fields}


@dataclass(frozen=True, kw_only=True)
class ListOf:
    """An array of objects of one shape."""

    item: Object


Shape: TypeAlias = Text | Integer | Number | Boolean | FreeForm | Anything | Object | ListOf


@dataclass(frozen=True, kw_only=True)
class Field:
    """One member of an object.

    Attributes:
        name: its key.
        shape: the shape of its value.
        meaning: its meaning, as a sentence.
        required: whether it is always there; ``Unset`` decides on the others.
        source: whether the article shows it.
    """

    name: str
    shape: Shape
    meaning: str
    required: bool
    source: Source


def arrange(values: Mapping[str, JSON], shape: Object, *, unset: Unset) -> dict[str, JSON]:
    """Return the values in the shape's order, without members that the shape does not have.

    At every depth, an optional field that is absent or None is left out or null, as ``unset`` says
    (contract d-18). A required field that is absent stays absent: no value is invented.
    """
    arranged: dict[str, JSON] = {}
    for name, inner, is_required in shape.members:
        value = values.get(name)
        if isinstance(value, _NESTED):
            arranged[name] = _arranged(value, inner, unset)
        elif value is not None:
            arranged[name] = value
        elif unset is Unset.NULL if not is_required else name in values:
            arranged[name] = None
    return arranged


# A tuple, because Python would build a union anew for each value.
_NESTED = (dict, list)


def _arranged(value: JSON, shape: Shape, unset: Unset) -> JSON:
    if isinstance(shape, Object) and isinstance(value, dict):
        return arrange(value, shape, unset=unset)
    if isinstance(shape, ListOf) and isinstance(value, list):
        return [_arranged(item, shape.item, unset) for item in value]
    return value
