"""Responses of operations: one object, a page of a list, messages of a stream, or no content.

A document or a payload is sent as the text that the database holds; nothing serialises it again.
Only rows of a list are compressed: they are asked for often, and shrink to a tenth. Their texts are
titles and names; no secret of the server is beside text that somebody else chose.
"""

import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, Protocol

from starlette.requests import Request
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
#: The fastest level: on rows, the slowest gains a fifth, and takes eight times as long.
_LEVEL: Final = 1
#: The window of zlib for the format of gzip.
_GZIP: Final = 16 + zlib.MAX_WBITS


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


def compressed_page(
    items: Iterable[Item], request: Request, *, cursor: str | None, more: Mapping[str, int | None]
) -> Response:
    """Return a response with a page, compressed if the client of the request accepts gzip."""
    content = "".join(_page(items, cursor, more)).encode()
    headers = {"Vary": "Accept-Encoding"}
    if _accepts_gzip(request.headers.get("accept-encoding", "")):
        encoder = zlib.compressobj(_LEVEL, wbits=_GZIP)
        content = encoder.compress(content) + encoder.flush()
        headers["Content-Encoding"] = "gzip"
    return Response(content, headers=headers, media_type=MEDIA_TYPE)


def _accepts_gzip(header: str) -> bool:
    for each in header.lower().replace(" ", "").split(","):
        name, _, weight = each.partition(";q=")
        if name == "gzip":
            return not weight or weight.strip("0.") != ""
    return False


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


def event_message(name: str, data: str, *, cursor: str | None) -> str:
    """Return a message of server-sent events.

    Args:
        name: the event's name.
        data: JSON in ASCII, so that no character of a payload ends a line.
        cursor: the message's id, from which a client continues; None for a message without one.
    """
    begins_with = "" if cursor is None else f"id: {cursor}\n"
    return f"{begins_with}event: {name}\ndata: {data}\n\n"


def no_content() -> Response:
    """Return a response without content: 204."""
    return Response(status_code=204)


def _json(content: str | bytes, *, status: int = 200) -> Response:
    return Response(content, status, media_type=MEDIA_TYPE)
