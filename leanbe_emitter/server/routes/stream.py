"""The stream: server-sent events of all changes, by whichever process.

The journal is the source, and the id of each message is a cursor of the journal: a client that
reconnects with its last id misses nothing. A client that does not read is disconnected
(``http.connections``), and continues in the same way.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.errors import DatabaseUnavailable, InvalidValue
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http.change_notifier import ChangeNotifier
from leanbe_emitter.server.http.query_parameters import (
    EVENT_FILTERS,
    Query,
    QueryParameter,
    choice_parameter,
)
from leanbe_emitter.server.http.routing import READING, Routes
from leanbe_emitter.server.http.row_feed import RowFeed
from leanbe_emitter.server.http.row_reader import RowFilter
from leanbe_emitter.server.http.stream_batches import Batches
from leanbe_emitter.server.schemas.json_schema import cursor as cursor_schema
from leanbe_emitter.server.schemas.json_schema import string
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.wire.event_names import matching

MEDIA_TYPE: Final = "text/event-stream"
#: Longest silence of the stream, in seconds.
HEARTBEAT_SECONDS = 15.0
#: Pause of a client before it reconnects, in milliseconds.
_RETRY_MS = 1000

#: Longest piece of a message that is sent at once, in characters.
_PIECE: Final = 64 * 1024

_MESSAGES: Final = string(
    'id: 0-17-2\nevent: settled\ndata: {"status": "delivered"}\n\n', "Server-sent events."
)
_HEARTBEAT = ": still there\n\n"
_QUERY: Final = Query(
    choice_parameter(
        "view", ["rows"], "Form of the messages: `rows` tell the last states of deliveries."
    ),
    *EVENT_FILTERS,
    QueryParameter(
        name="after",
        schema=cursor_schema(
            "Cursor after which the stream begins; by default, it begins now. The header "
            "`Last-Event-ID` takes precedence."
        ),
    ),
)


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operation that streams."""
    notifier, batches, feed = app.state.change_notifier, Batches(leanbe), app.state.row_feed

    @Routes(app, leanbe, "Stream").add(
        "GET", "/stream", returns=_MESSAGES, errors=READING, media_type=MEDIA_TYPE, has_end=False
    )
    async def stream(
        request: Request, query: Annotated[dict[str, Any], _QUERY]
    ) -> StreamingResponse:
        """Follow all changes as server-sent events, whichever process makes them.

        `event`: an event was recorded. `attempt`: an attempt ended. `settled`: a delivery was
        settled, with its `status`. The data of a message is an object, and its id is a cursor. A
        client that reconnects with the id in `Last-Event-ID` misses nothing. The server refuses an
        id that is ahead of its journal, such as one from the temporary database of an earlier
        server.

        With `view=rows`, the messages suit a page that shows a list. `rows`: at most each 100 ms,
        the last state of each delivery that changed, as rows in `items`, in the order of the
        changes; the 200 that changed last, and how many more were `skipped`. `pulse`: each second,
        the clock, the queue, and the numbers of settled deliveries and ended attempts since the
        last one. `changed`: `what` else was changed, in the words of the paths, and of which
        `product`. `reset`: a product, or with null all of them, was reset. `product` and `event`
        select the rows; then `skipped` also counts others.
        """
        text = request.headers.get("last-event-id") or query.pop("after", None)
        which = await run_in_threadpool(_row_filter, leanbe, query)
        cursor = await run_in_threadpool(_first_cursor, leanbe, text)
        if which is None:
            texts = messages(batches, notifier, after=cursor)
        else:
            texts = row_messages(feed, after=cursor, which=which)
        return StreamingResponse(
            _in_pieces(texts), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"}
        )


def _row_filter(leanbe: Leanbe, query: dict[str, Any]) -> RowFilter | None:
    """Return the rows that a query selects; None: it asks for all that happens."""
    product, event = query.get("product"), query.get("event")
    if "view" in query:
        return RowFilter(
            product_id=None if product is None else leanbe.products.get(product).id,
            events=None if event is None else frozenset(matching(event)),
        )
    if product is not None or event is not None:
        raise InvalidValue(
            "product and event select rows only.", hint="Add view=rows, or leave them out."
        )
    return None


def _first_cursor(leanbe: Leanbe, text: str | None) -> Cursor:
    """Return the cursor in a text, or the journal's present end."""
    if text is None:
        return leanbe.journal.follow_cursor()
    cursor = Cursor.parse(text)
    leanbe.journal.require_reached(cursor)
    return cursor


async def messages(
    batches: Batches, notifier: ChangeNotifier, *, after: Cursor
) -> AsyncIterator[str]:
    """Yield messages until the server stops, or the database is away; clients reconnect then."""
    cursor, sent_at = after, stopwatch()
    yield f"retry: {_RETRY_MS}\n\n"
    async with notifier.listener() as listener:
        while not notifier.is_stopped:
            try:
                batch = await batches.after(cursor)
            except DatabaseUnavailable:
                return
            for message in batch.messages:
                yield message
            if batch.messages:
                sent_at = stopwatch()
            if batch.end == cursor:
                await listener.wait(HEARTBEAT_SECONDS)
            if stopwatch() - sent_at >= HEARTBEAT_SECONDS:
                sent_at = stopwatch()
                yield _HEARTBEAT
            cursor = batch.end
            del batch  # another listener may have it; this one needs it no longer


async def row_messages(feed: RowFeed, *, after: Cursor, which: RowFilter) -> AsyncIterator[str]:
    """Yield the messages of rows, until the server stops or the database is away."""
    yield f"retry: {_RETRY_MS}\n\n"
    with suppress(DatabaseUnavailable), feed.listener(after=after, which=which) as listener:
        async for message in listener.messages():
            yield message


async def _in_pieces(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield long messages in pieces: a connection whose client does not read holds one only."""
    async for text in texts:
        for start in range(0, len(text), _PIECE):
            yield text[start : start + _PIECE]
