"""The change notifier wakes the requests that wait for a change of the database.

The worker of this server reports each settled attempt at once, and the server reports its own
commits. For changes by other processes, one task polls the end of the journal on behalf of all
listeners. It polls only while there is a listener.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from leanbe_emitter.delivery.watching import Attempt, Watcher
from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.library import Leanbe

#: Pause between two polls of the journal, in seconds.
POLL_SECONDS = 0.05
#: Least time between two notifications of the server's own commits, in seconds: one look at the
#: database finds the changes of many commits.
COMMIT_PAUSE_SECONDS = 0.01
#: Longest wait of a listener that is not notified, in seconds.
MAX_WAIT_SECONDS = 1.0


class Listener:
    """One request that waits; it misses no change since its last wait.

    Attributes:
        is_request: whether it is a request; else it is a task of the server's own.
    """

    def __init__(self, *, is_request: bool = True) -> None:
        self.is_request = is_request
        self._notified = asyncio.Event()

    def notify(self) -> None:
        """Note that something has changed."""
        self._notified.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a change, for this long at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, MAX_WAIT_SECONDS)):
                await self._notified.wait()
        self._notified.clear()


class ChangeNotifier(Watcher):
    """Notifies all listeners; the server's worker has it as its ``Watcher``.

    Attributes:
        is_stopped: whether the server stops, so that no request waits any longer.
    """

    def __init__(self, leanbe: Leanbe) -> None:
        self.is_stopped = False
        self._leanbe = leanbe
        self._listeners = set[Listener]()
        self._polling: asyncio.Task[None] | None = None
        self._next_commit_at = 0.0
        self._has_notified = False

    @asynccontextmanager
    async def listener(self, *, is_request: bool = True) -> AsyncIterator[Listener]:
        """Register a listener until the block ends."""
        listener = Listener(is_request=is_request)
        self._listeners.add(listener)
        if self._polling is None or self._polling.done():
            self._next_commit_at, self._has_notified = 0.0, False
            self._polling = asyncio.create_task(self._poll())
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    @property
    def listener_count(self) -> int:
        """Number of requests that wait."""
        return sum(each.is_request for each in self._listeners)

    def notify(self) -> None:
        """Notify all listeners."""
        self._has_notified = True
        for listener in self._listeners:
            listener.notify()

    def on_commit(self) -> None:
        """Notify of a commit of this server, at once or after a pause; call it on the loop."""
        loop = asyncio.get_running_loop()
        if self._listeners and self._next_commit_at <= loop.time():
            self._next_commit_at = max(loop.time(), self._next_commit_at + COMMIT_PAUSE_SECONDS)
            loop.call_at(self._next_commit_at, self.notify)

    def stop(self) -> None:
        """End the wait of every listener."""
        self.is_stopped = True
        self.notify()

    def ended(self, attempt: Attempt) -> None:  # noqa: ARG002 - a Watcher's
        """Notify of a settled attempt."""
        self.notify()

    async def _poll(self) -> None:
        """Notify of each change of the journal's end while there is a listener.

        Listeners that were notified meanwhile look for themselves: the next poll finds what came
        after their look.
        """
        seen = None
        while self._listeners:
            if self._has_notified:
                self._has_notified = False
                await asyncio.sleep(POLL_SECONDS)
                continue
            # A listener that looks at a database that is away gets the error itself.
            with suppress(DatabaseUnavailable):
                # The thread is the loop's own, and ends with the loop.
                end = await asyncio.to_thread(self._leanbe.journal.follow_cursor)
                if end != seen:
                    seen = end
                    self.notify()
                    self._has_notified = False
            await asyncio.sleep(POLL_SECONDS)
