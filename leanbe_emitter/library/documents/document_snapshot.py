"""The base of the snapshots of documents, and the references in them.

A snapshot is read from the document that a webhook would carry at that moment. So its attributes
and its ``document()`` always agree, and neither changes later. The type of an attribute says how a
member of the document is read.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import cache, partial
from types import NoneType
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

from leanbe_emitter.domain.lookup import Identified
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.payloads.declarations import snake_case
from leanbe_emitter.wire.payloads.event_payloads import RESOURCES, document_shape
from leanbe_emitter.wire.payloads.shapes import ListOf, Object
from leanbe_emitter.wire.stringify import JSON, parse, stringify

Made = TypeVar("Made")
_Reader = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """An object in a document, as it was at the moment of the snapshot."""

    @classmethod
    def of(cls, values: Mapping[str, JSON]) -> Self:
        """Read it from the document's member."""
        return snapshot_of(cls, values)


@dataclass(frozen=True, kw_only=True)
class Document(Identified):
    """A snapshot of a document.

    Attributes:
        id: the ``_id`` of the document.
        created_at: the instant of creation; aware, in UTC.
        updated_at: the instant of the last change of a stored field; aware, in UTC.
    """

    created_at: datetime
    updated_at: datetime
    _text: str = field(repr=False)

    @property
    def text(self) -> str:
        """The document's text, exactly as a webhook carries it."""
        return self._text

    def document(self) -> dict[str, JSON]:
        """Return the document under the product's assumptions, with its keys in order.

        ``stringify`` turns it into the text that a webhook carries.
        """
        document: dict[str, JSON] = parse(self._text, max_depth=sys.maxsize)
        return document


@dataclass(frozen=True, kw_only=True)
class Reference(Identified, Part):
    """A reference in a document to another object, as it was at the moment of the snapshot."""


@dataclass(frozen=True, kw_only=True)
class UserReference(Reference):
    """A reference to a user."""

    first_name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class ProductReference(Reference):
    """A reference to the document's product."""

    name: str


@dataclass(frozen=True, kw_only=True)
class CustomerReference(Reference):
    """A reference to a customer."""

    first_name: str | None
    last_name: str | None
    email: str


@dataclass(frozen=True, kw_only=True)
class IdeaReference(Reference):
    """A reference to an idea."""

    title: str


@dataclass(frozen=True, kw_only=True)
class IdeaRequestReference(Reference):
    """A reference in an idea to an attached request."""

    title: str

    @classmethod
    def of(cls, values: Mapping[str, JSON]) -> Self:
        """Read it from an idea's member; the id has one of two keys."""
        # Which key, an assumption says (contract d-11).
        return cls(id=values.get("_id") or values["id"], title=values["title"])


def text_of(value: JSON) -> str:
    """Return a value's text without a limit of its size: writing it checked the size."""
    return stringify(value, max_depth=sys.maxsize, max_bytes=sys.maxsize)


def snapshot_of(kind: type[Made], values: Mapping[str, JSON], **more: str) -> Made:
    """Return a snapshot with attributes from the members of a document, and with more.

    The constructor of a frozen dataclass makes a call for each attribute, and takes twice as long.
    """
    made = object.__new__(kind)
    attributes = vars(made)
    attributes.update(more)
    for name, member, read in _readers(kind):  # type: ignore[arg-type] # classes are hashable
        value = values[member]
        attributes[name] = value if read is None or value is None else read(value)
    return made


@cache
def _readers(kind: Any) -> Sequence[tuple[str, str, _Reader | None]]:
    """Return the attributes of a snapshot, each with its member and how a value is read."""
    types = get_type_hints(kind)
    names = [each.name for each in fields(kind) if not each.name.startswith("_")]
    return [(name, _members().get(name, name), _reader(types[name])) for name in names]


def _reader(kind: Any) -> _Reader | None:
    """Return the function that reads a value of a type; None if the value is taken as it is."""
    of = get_args(kind)
    if NoneType in of:
        return _reader(of[0])
    if get_origin(kind) is tuple:
        return partial(_all, _entry if of[0] is str else _reader(of[0]))
    if kind is datetime:
        return parse_instant
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    return kind.of if isinstance(kind, type) and issubclass(kind, Part) else None


def _all(read: _Reader | None, values: list[Any]) -> tuple[Any, ...]:
    return tuple(values if read is None else map(read, values))


def _entry(entry: Mapping[str, str]) -> str:
    """Return the text of a tag, a category or a note: its only member."""
    (text,) = entry.values()
    return text


@cache
def _members() -> Mapping[str, str]:
    """Return the names of documents' members by the names of attributes."""
    names = (name for each in RESOURCES for name in _names_in(document_shape(each)))
    return {**{snake_case(name): name for name in names}, "id": "_id"}


def _names_in(shape: object) -> Iterator[str]:
    if isinstance(shape, ListOf):
        shape = shape.item
    if isinstance(shape, Object):
        for each in shape.fields:
            yield each.name
            yield from _names_in(each.shape)
