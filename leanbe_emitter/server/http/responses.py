"""Responses of operations: one object, a page of a list, or no content.

A document is sent as the text that the database holds; nothing serialises it again.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from fastapi.responses import Response

from leanbe_emitter.library.documents.document_snapshot import Document, text_of
from leanbe_emitter.wire.stringify import stringify

MEDIA_TYPE = "application/json"
#: About how many bytes of bodies a page has, if it has several items.
PAGE_BYTES = 4 << 20


class Snapshot(Protocol):
    """An object that the library returns."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        ...


#: An item of a response: a document, another snapshot, or a plain object.
Item = Document | Snapshot | Mapping[str, Any]


def text(item: Item) -> str:
    """Return an item's JSON; that of a document is the exact text of its webhook."""
    match item:
        case Document():
            return item.text
        case Mapping():
            return text_of(item)
        case _:
            return text_of(item.document())


def one(item: Item, *, status: int = 200) -> Response:
    """Return a response with one object."""
    return _json(text(item), status=status)


def page(
    items: Iterable[Item], *, cursor: str | None = None, status: int = 200, **more: bool
) -> Response:
    """Return a response with a page of a list; its cursor is None at the end of the list."""
    end = "".join(f',"{name}":{stringify(value)}' for name, value in more.items())
    # Each item is encoded alone: a large page would have two further copies as one text.
    parts = [b'{"items":[']
    for item in items:
        parts += [text(item).encode(), b","]
    parts[-1] = parts[-1].removesuffix(b",")
    parts.append(f'],"cursor":{stringify(cursor)}{end}}}'.encode())
    return _json(b"".join(parts), status=status)


def no_content() -> Response:
    """Return a response without content: 204."""
    return Response(status_code=204)


def _json(content: str | bytes, *, status: int = 200) -> Response:
    return Response(content, status, media_type=MEDIA_TYPE)
