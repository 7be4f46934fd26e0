"""Responses of operations: one object, a page of a list, or no content.

A document or a payload is sent as the text that the database holds; nothing serialises it again.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, Protocol

from starlette.responses import Response, StreamingResponse

from leanbe_emitter.library import Delivery, Event, Triggered
from leanbe_emitter.library.deliveries.events import EventWithDeliveries
from leanbe_emitter.library.deliveries.list_rows import RowOfDelivery
from leanbe_emitter.library.documents.document_snapshot import Document, text_of
from leanbe_emitter.wire.stringify import stringify

MEDIA_TYPE = "application/json"
#: About how many bytes of bodies a page has, if it has several items.
PAGE_BYTES = 4 << 20
#: About how many characters of a page are sent at once: as one text, it would be in memory twice.
_PIECE = 64 * 1024


class Snapshot(Protocol):
    """An object that the library returns."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        ...


#: Of a page without further members.
NO_MORE: Mapping[str, int | None] = MappingProxyType({})

#: An item of a response: a document, another snapshot, or a plain object.
Item = Document | Snapshot | Mapping[str, Any]


def text(item: Item) -> str:
    """Return an item's JSON; that of a document is the exact text of its webhook."""
    match item:
        case Document():
            return item.text
        case Event() | Delivery() | Triggered() | RowOfDelivery() | EventWithDeliveries():
            return item.text()
        case Mapping():
            return text_of(item)
        case _:
            return text_of(item.document())


def one(item: Item, *, status: int = 200) -> Response:
    """Return a response with one object."""
    return _json(text(item), status=status)


def page(
    items: Iterable[Item],
    *,
    cursor: str | None = None,
    status: int = 200,
    more: Mapping[str, int | None] = NO_MORE,
) -> Response:
    """Return a response with a page of a list.

    Args:
        items: the items.
        cursor: the cursor of the next page; None at the end of the list.
        status: the response's status.
        more: further members.
    """
    pieces = list(_pieces(_page(items, cursor, more)))
    if len(pieces) > 1:
        return _sent_in_pieces(pieces, status=status)
    return _json(pieces[0], status=status)


def page_in_one(
    items: Iterable[Item], *, cursor: str | None = None, more: Mapping[str, int | None] = NO_MORE
) -> Response:
    """Return a response with a page whose body is in one piece, to be compressed."""
    return _json("".join(_page(items, cursor, more)))


def _page(
    items: Iterable[Item], cursor: str | None, more: Mapping[str, int | None]
) -> Iterator[str]:
    end = "".join(f',"{name}":{stringify(value)}' for name, value in more.items())
    return chain(['{"items":['], _separated(items), [f'],"cursor":{stringify(cursor)}{end}}}'])


def _separated(items: Iterable[Item]) -> Iterator[str]:
    separator = ""
    for item in items:
        yield separator
        yield text(item)
        separator = ","


def _pieces(parts: Iterable[str]) -> Iterator[bytes]:
    """Yield texts in UTF-8, short ones together."""
    kept: list[str] = []
    size = 0
    for part in parts:
        kept.append(part)
        size += len(part)
        if size >= _PIECE:
            yield "".join(kept).encode()
            kept, size = [], 0
    if kept:
        yield "".join(kept).encode()


def _sent_in_pieces(pieces: Sequence[bytes], *, status: int) -> Response:
    """Return a response that is sent as fast as the client reads."""
    length = {"Content-Length": str(sum(map(len, pieces)))}
    return StreamingResponse(_each(pieces), status, length, media_type=MEDIA_TYPE)


async def _each(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def no_content() -> Response:
    """Return a response without content: 204."""
    return Response(status_code=204)


def _json(content: str | bytes, *, status: int = 200) -> Response:
    return Response(content, status, media_type=MEDIA_TYPE)
