"""The stream: server-sent events of what happens, whichever process does it.

It is read from the journal by its cursor, which each message has as its id: whoever comes back with
the last one misses nothing.
"""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.library import Entry, Leanbe
from leanbe_emitter.server.http.change_notifier import ChangeNotifier
from leanbe_emitter.server.http.parsing import Parameter, Queried
from leanbe_emitter.server.http.routing import READING, Routes
from leanbe_emitter.server.schemas.json_schema import cursor as cursor_of
from leanbe_emitter.server.schemas.json_schema import text
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.storage.schema.states import JournalKind

MEDIA_TYPE: Final = "text/event-stream"
#: How long nothing is said at the most, in seconds.
HEARTBEAT_SECONDS = 15.0
#: After how many milliseconds whoever was cut off comes back.
_RETRY_MS = 1000

_MESSAGES: Final = text(
    'id: 0-17-2\nevent: settled\ndata: {"status": "delivered"}\n\n', "Messages, as they come."
)
_HEARTBEAT = ": still there\n\n"
_ASKED: Final = Queried(
    Parameter(
        name="after",
        schema=cursor_of(
            "Begin behind this cursor, as a write answers with; else with what happens now. "
            "The header `Last-Event-ID` beats it."
        ),
    )
)


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operation that streams."""
    news = app.state.news

    @Routes(app, leanbe, "Stream").add(
        "GET", "/stream", gives=_MESSAGES, refuses=READING, media_type=MEDIA_TYPE
    )
    async def stream(
        request: Request, asked: Annotated[dict[str, Any], Depends(_ASKED)]
    ) -> StreamingResponse:
        """Follow what happens, as server-sent events, whichever process does it.

        `event`: one was raised. `attempt`: one was made. `settled`: a delivery was, as `status`.
        Each message's data is an object; its id is a cursor, and whoever comes back with it in
        `Last-Event-ID` misses nothing. An id of another database, as after the restart of a server
        whose database was temporary, is refused where it lies ahead of all that happened here.
        """
        text = request.headers.get("last-event-id") or asked.get("after")
        cursor = await run_in_threadpool(_begun, leanbe, text)
        headers = {"X-Accel-Buffering": "no"}
        messages = told(leanbe, news, after=cursor)
        return StreamingResponse(messages, media_type=MEDIA_TYPE, headers=headers)


def _begun(leanbe: Leanbe, text: str | None) -> Cursor:
    """Return the cursor of that text, or the one behind all that has happened."""
    if text is None:
        return leanbe.journal.follow_cursor()
    cursor = Cursor.parse(text)
    leanbe.journal.require_reached(cursor)
    return cursor


async def told(leanbe: Leanbe, news: ChangeNotifier, *, after: Cursor) -> AsyncIterator[str]:
    """Yield messages until the server stops, or the database is away: who listens comes back."""
    cursor, said_at = after, stopwatch()
    yield f"retry: {_RETRY_MS}\n\n"
    async with news.listening() as ear:
        while not news.is_over:
            try:
                entries, end = await run_in_threadpool(leanbe.journal.next, cursor)
            except DatabaseUnavailable:
                return
            for entry in entries:
                for message in _messages(entry):
                    yield message
            if entries:
                said_at = stopwatch()
            if end == cursor:
                await ear.wait(HEARTBEAT_SECONDS)
            if stopwatch() - said_at >= HEARTBEAT_SECONDS:
                said_at = stopwatch()
                yield _HEARTBEAT
            cursor = end


def _messages(entry: Entry) -> Iterator[str]:
    """Yield what an entry tells; only the last message of it has its cursor."""
    whose = {
        "delivery": None if entry.delivery is None else entry.delivery.id,
        "event": entry.event.name,
    }
    cursor = str(entry.cursor)
    if entry.kind is JournalKind.EVENT:
        yield _message("event", {**whose, **entry.event.document()}, cursor=cursor)
    if (made := entry.made()) is not None:
        is_last = entry.status is None
        yield _message("attempt", made, cursor=cursor if is_last else None)
    if entry.status is not None:
        yield _message("settled", {**whose, "status": entry.status}, cursor=cursor)


def _message(name: str, data: dict[str, Any], *, cursor: str | None) -> str:
    # In ASCII: no character of a payload ends a line there.
    lines = [f"event: {name}", f"data: {json.dumps(data)}"]
    if cursor is not None:
        lines.insert(0, f"id: {cursor}")
    return "\n".join(lines) + "\n\n"
