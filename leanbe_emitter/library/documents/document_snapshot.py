"""The base of the snapshots of documents, and the references in them.

A snapshot is read from the document that a webhook would carry at that moment. So its attributes
and its ``document()`` always agree, and neither changes later.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from leanbe_emitter.library.runtime.snapshot_parts import Identified
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.stringify import JSON, parse, stringify


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
class Reference(Identified):
    """A reference in a document to another object, as it was at the moment of the snapshot."""


@dataclass(frozen=True, kw_only=True)
class UserReference(Reference):
    """A reference to a user."""

    first_name: str
    email: str

    @classmethod
    def of(cls, values: Mapping[str, JSON]) -> Self:
        """Read it from a document's member."""
        return cls(id=values["_id"], first_name=values["firstName"], email=values["email"])

    @classmethod
    def maybe(cls, values: Mapping[str, JSON] | None) -> Self | None:
        """Read it from a document's member, if the member is not null."""
        return None if values is None else cls.of(values)


@dataclass(frozen=True, kw_only=True)
class ProductReference(Reference):
    """A reference to the document's product."""

    name: str

    @classmethod
    def of(cls, values: Mapping[str, JSON]) -> Self:
        """Read it from a document's member."""
        return cls(id=values["_id"], name=values["name"])


@dataclass(frozen=True, kw_only=True)
class CustomerReference(Reference):
    """A reference to a customer."""

    first_name: str | None
    last_name: str | None
    email: str

    @classmethod
    def maybe(cls, values: Mapping[str, JSON] | None) -> Self | None:
        """Read it from a document's member, if the member is not null."""
        if values is None:
            return None
        return cls(
            id=values["_id"],
            first_name=values["firstName"],
            last_name=values["lastName"],
            email=values["email"],
        )


@dataclass(frozen=True, kw_only=True)
class IdeaReference(Reference):
    """A reference to an idea."""

    title: str

    @classmethod
    def maybe(cls, values: Mapping[str, JSON] | None) -> Self | None:
        """Read it from a document's member, if the member is not null."""
        return None if values is None else cls(id=values["_id"], title=values["title"])


@dataclass(frozen=True, kw_only=True)
class IdeaRequestReference(Reference):
    """A reference in an idea to an attached request."""

    title: str

    @classmethod
    def of(cls, values: Mapping[str, JSON]) -> Self:
        """Read it from an idea's member; the id has one of two keys."""
        # Which key, an assumption says (contract d-11).
        return cls(id=values.get("_id") or values["id"], title=values["title"])


def titles(entries: Iterable[Mapping[str, JSON]]) -> tuple[str, ...]:
    """Return the texts of tags or categories."""
    return tuple(entry["title"] for entry in entries)


def instant(text: JSON) -> datetime | None:
    """Return the instant of an optional member."""
    return None if text is None else parse_instant(text)


def text_of(document: Mapping[str, JSON]) -> str:
    """Return a document's text without a size limit: writing it checked the size."""
    return stringify(document, max_depth=sys.maxsize, max_bytes=sys.maxsize)
