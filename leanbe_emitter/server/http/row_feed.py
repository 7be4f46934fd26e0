"""The feed of rows: one task reads what changes, for all listeners of the stream of rows.

The task reads at most one batch each ``BATCH_SECONDS`` while there is a listener, and fewer where
reading takes long. So a burst costs as much as its last state, and a second listener costs its
sending only. A listener that is behind the feed's last batch reads a batch of its own, from its
cursor on. So a slow client skips states, and never a delivery. It holds at most one batch, which
has ``row_reader.MOST_ROWS``.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http.change_notifier import ChangeNotifier, Listener
from leanbe_emitter.server.http.responses import event_message
from leanbe_emitter.server.http.row_reader import (
    ALL,
    Change,
    RowBatch,
    RowFilter,
    RowReader,
    read_batch,
)
from leanbe_emitter.storage.queries.journal import START, Cursor

#: Least time between two batches, in seconds.
BATCH_SECONDS: Final = 0.1
#: How many times as long as it read, the feed pauses: it takes a tenth of a core at most.
_PAUSE: Final = 10
#: Time between two pulses, in seconds.
PULSE_SECONDS: Final = 1.0
#: Most changes that wait for one listener; a listener with more is told of a reset.
_MOST_CHANGES: Final = 200
_ALL_RESET: Final = Change("", None)


class RowListener:
    """One client of the stream of rows."""

    def __init__(self, feed: "RowFeed", *, after: Cursor, which: RowFilter = ALL) -> None:
        self._feed = feed
        self._which = which
        self._cursor = after
        self._news = asyncio.Event()
        self._news.set()  # the client may be behind already
        self._changes: dict[Change, None] = {}
        self._pulse = ""
        self._is_over = False

    def notify(self) -> None:
        """Note that the feed has a new batch."""
        self._news.set()

    def add_change(self, change: Change) -> None:
        """Note that something else has changed."""
        if self._which.product_id not in {None, change.product_id} and change.product_id:
            return
        self._changes[change] = None
        if len(self._changes) > _MOST_CHANGES:
            self._changes = {_ALL_RESET: None}
        self._news.set()

    def set_pulse(self, data: str) -> None:
        """Note the present pulse; an older one that was not sent is dropped."""
        self._pulse = data
        self._news.set()

    def end(self) -> None:
        """End the client's stream."""
        self._is_over = True
        self._news.set()

    async def messages(self) -> AsyncIterator[str]:
        """Yield messages until the feed ends.

        Raises:
            DatabaseUnavailable: the database cannot be read.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            if self._is_over:
                return
            for each in self._other_messages():
                yield each
            batch = await self._feed.batch_after(self._cursor)
            self._cursor = max(self._cursor, batch.end)
            if text := batch.message(self._which):
                yield text
            if self._cursor < self._feed.cursor:
                self._news.set()
                await asyncio.sleep(BATCH_SECONDS)

    def _other_messages(self) -> Iterator[str]:
        changes, self._changes = self._changes, {}
        yield from (each.message() for each in changes)
        if self._pulse:
            # With the cursor: a client that gets no rows continues from here, too.
            yield event_message("pulse", self._pulse, cursor=str(self._cursor))
            self._pulse = ""


class RowFeed:
    """Reads for all listeners while there is one.

    Attributes:
        cursor: the place up to which the feed has read.
    """

    def __init__(self, leanbe: Leanbe, notifier: ChangeNotifier) -> None:
        self._leanbe = leanbe
        self._notifier = notifier
        self._listeners = set[RowListener]()
        self._task: asyncio.Task[None] | None = None
        self._latest: RowBatch | None = None
        self._resets = deque[str | None](maxlen=_MOST_CHANGES)
        self._told = set[Change]()
        self._turn = asyncio.Lock()
        self.cursor = START

    @contextmanager
    def listener(self, *, after: Cursor, which: RowFilter = ALL) -> Iterator[RowListener]:
        """Register a listener until the block ends; call it on the loop."""
        listener = RowListener(self, after=after, which=which)
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    @property
    def listener_count(self) -> int:
        """Number of requests that listen."""
        return len(self._listeners)

    def reset(self, product_id: str | None) -> None:
        """Note a reset by this server; from any thread."""
        if self._listeners:
            self._resets.append(product_id)

    async def batch_after(self, cursor: Cursor) -> RowBatch:
        """Return a batch with all changes after a cursor; it may begin before the cursor.

        Raises:
            DatabaseUnavailable: the database cannot be read.
        """
        if (latest := self._fitting(cursor)) is not None:
            return latest
        async with self._turn:
            if (latest := self._fitting(cursor)) is not None:
                return latest
            batch, _ = await asyncio.to_thread(read_batch, self._leanbe, cursor)
            return batch

    def _fitting(self, cursor: Cursor) -> RowBatch | None:
        latest = self._latest
        if cursor >= self.cursor:
            return RowBatch(start=cursor, end=cursor)  # the feed has read nothing behind it yet
        return None if latest is None or cursor < latest.start else latest

    async def _run(self) -> None:
        try:
            # The clients reconnect when the database is away.
            with suppress(DatabaseUnavailable):
                async with self._notifier.listener(is_request=False) as changes:
                    await self._read(changes)
        finally:
            self._latest, self.cursor = None, START
            for listener in self._listeners:
                listener.end()

    # The threads are the loop's own, and end with the loop.
    async def _read(self, changes: Listener) -> None:
        """Read batches and pulses until there is no listener, or the server stops."""
        reader = await asyncio.to_thread(RowReader, self._leanbe)
        self._advance(reader.cursor)
        loop = asyncio.get_running_loop()
        pulse_at = loop.time() + PULSE_SECONDS
        while self._listeners and not self._notifier.is_stopped:
            read_at = loop.time()
            batch = await asyncio.to_thread(reader.next_batch)
            pause = max(BATCH_SECONDS, _PAUSE * (loop.time() - read_at))
            self._publish(batch)
            if loop.time() >= pulse_at:
                pulse_at = max(loop.time(), pulse_at + PULSE_SECONDS)
                await self._beat(reader)
            await asyncio.sleep(min(pause, PULSE_SECONDS))
            if batch.start == batch.end:
                await changes.wait(max(0.0, pulse_at - loop.time()))

    def _publish(self, batch: RowBatch) -> None:
        """Hand a batch to the listeners, if something changed."""
        while self._resets:
            reset = Change("", self._resets.popleft())
            self._told.add(reset)
            self._tell(reset)
        if batch.start != batch.end:
            self._latest = batch
            self._advance(batch.end)

    def _advance(self, cursor: Cursor) -> None:
        self.cursor = cursor
        for listener in self._listeners:
            listener.notify()

    async def _beat(self, reader: RowReader) -> None:
        """Send the pulse, and what else has changed."""
        for change in await asyncio.to_thread(reader.changes):
            if not (change in self._told or (not change.what and _ALL_RESET in self._told)):
                self._tell(change)
        self._told.clear()
        pulse = await asyncio.to_thread(reader.pulse)
        for listener in self._listeners:
            listener.set_pulse(pulse)

    def _tell(self, change: Change) -> None:
        for listener in self._listeners:
            listener.add_change(change)
