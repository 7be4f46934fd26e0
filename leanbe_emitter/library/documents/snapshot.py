"""What the snapshots of Leanbe's documents have in common: a text of their own, and references.

A snapshot is read from the very document that a webhook would carry at that moment, so that its
attributes and its ``document()`` cannot disagree, and neither changes later.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from leanbe_emitter.library.runtime.references import Identified
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.stringify import JSON, parse, stringify


@dataclass(frozen=True, kw_only=True)
class Document(Identified):
    """A snapshot of a document.

    Attributes:
        id: its ``_id``.
        created_at: when it was created; aware, in UTC.
        updated_at: when a stored field last changed; aware, in UTC.
    """

    created_at: datetime
    updated_at: datetime
    _text: str = field(repr=False)

    @property
    def text(self) -> str:
        """The document's text: the very characters that a webhook carries of it."""
        return self._text

    def document(self) -> dict[str, JSON]:
        """Return the document as the product reads the article, its keys in their order.

        ``stringify`` gives the bytes that a webhook carries of it.
        """
        document: dict[str, JSON] = parse(self._text, max_depth=sys.maxsize)
        return document


@dataclass(frozen=True, kw_only=True)
class Reference(Identified):
    """How a document names another object, as that was at the moment of the snapshot."""


@dataclass(frozen=True, kw_only=True)
class UserReference(Reference):
    """How a document names a user."""

    first_name: str
    email: str

    @classmethod
    def of(cls, values: Mapping[str, JSON]) -> Self:
        """Read it from a document's member."""
        return cls(id=values["_id"], first_name=values["firstName"], email=values["email"])

    @classmethod
    def maybe(cls, values: Mapping[str, JSON] | None) -> Self | None:
        """Read it from a document's member, if there is one."""
        return None if values is None else cls.of(values)


@dataclass(frozen=True, kw_only=True)
class ProductReference(Reference):
    """How a document names its product."""

    name: str

    @classmethod
    def of(cls, values: Mapping[str, JSON]) -> Self:
        """Read it from a document's member."""
        return cls(id=values["_id"], name=values["name"])


@dataclass(frozen=True, kw_only=True)
class CustomerReference(Reference):
    """How a document names a customer."""

    first_name: str | None
    last_name: str | None
    email: str

    @classmethod
    def maybe(cls, values: Mapping[str, JSON] | None) -> Self | None:
        """Read it from a document's member, if there is one."""
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
    """How a document names an idea."""

    title: str

    @classmethod
    def maybe(cls, values: Mapping[str, JSON] | None) -> Self | None:
        """Read it from a document's member, if there is one."""
        return None if values is None else cls(id=values["_id"], title=values["title"])


@dataclass(frozen=True, kw_only=True)
class IdeaRequestReference(Reference):
    """How an idea names a request that is attached to it."""

    title: str

    @classmethod
    def of(cls, values: Mapping[str, JSON]) -> Self:
        """Read it from an idea's member, whichever key bears the id (contract d-11)."""
        return cls(id=values.get("_id") or values["id"], title=values["title"])


def titles(entries: Iterable[Mapping[str, JSON]]) -> tuple[str, ...]:
    """Return the texts of tags or categories."""
    return tuple(entry["title"] for entry in entries)


def instant(text: JSON) -> datetime | None:
    """Return the instant of an optional member."""
    return None if text is None else parse_instant(text)


def text_of(document: Mapping[str, JSON]) -> str:
    """Return a document's text, however long: its size was checked when it was written."""
    return stringify(document, max_depth=sys.maxsize, max_bytes=sys.maxsize)
