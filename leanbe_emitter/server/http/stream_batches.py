"""Batches of the stream's messages: read once for all listeners at the same place of the journal.

A listener that does not read keeps at most one batch, which has ``BATCH_BYTES`` unless a single
entry has more. Listeners share batches, and one batch is read at a time.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool

from leanbe_emitter.library import Entry, Leanbe
from leanbe_emitter.server.http.responses import event_message
from leanbe_emitter.storage.queries.journal import Cursor
from leanbe_emitter.storage.schema.states import JournalKind

#: Most bytes of a batch that has several entries.
BATCH_BYTES: Final = 4 << 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Messages after a place of the journal, and the cursor behind them.

    Attributes:
        messages: the messages, in ASCII; there may be none.
        end: the cursor to continue from.
    """

    messages: Sequence[str]
    end: Cursor


class Batches:
    """Reads batches, and shares those that a listener still has."""

    def __init__(self, leanbe: Leanbe) -> None:
        self._leanbe = leanbe
        self._kept = WeakValueDictionary[Cursor, Batch]()
        self._turn = asyncio.Lock()

    async def after(self, cursor: Cursor) -> Batch:
        """Return the batch after a cursor.

        Raises:
            DatabaseUnavailable: the database cannot be read.
        """
        async with self._turn:
            batch = self._kept.get(cursor)
            if batch is None:
                batch = await run_in_threadpool(self._read, cursor)
                if batch.messages:
                    self._kept[cursor] = batch
            return batch

    def _read(self, cursor: Cursor) -> Batch:
        entries, end = self._leanbe.journal.next(cursor)
        messages: list[str] = []
        size = 0
        for entry in entries:
            texts = list(_messages_of(entry))
            size += sum(map(len, texts))
            if messages and size > BATCH_BYTES:
                break
            messages += texts
            cursor = entry.cursor
        else:
            cursor = end
        return Batch(messages=messages, end=cursor)


def _messages_of(entry: Entry) -> Iterator[str]:
    """Yield the messages of a journal entry; only the last one has the entry's cursor."""
    subject = {
        "delivery": None if entry.delivery is None else entry.delivery.id,
        "event": entry.event.name,
    }
    cursor = str(entry.cursor)
    if entry.kind is JournalKind.EVENT:
        yield _message("event", {**subject, **entry.event.document()}, cursor=cursor)
    if (attempt := entry.made()) is not None:
        is_last = entry.status is None
        yield _message("attempt", attempt, cursor=cursor if is_last else None)
    if entry.status is not None:
        yield _message("settled", {**subject, "status": entry.status}, cursor=cursor)


def _message(name: str, data: dict[str, Any], *, cursor: str | None) -> str:
    return event_message(name, json.dumps(data), cursor=cursor)
