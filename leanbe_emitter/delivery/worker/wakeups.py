"""Wake-ups: a worker is told when something may be due, so that it need not look all the time.

None of them is relied on: a worker looks by itself after ``poll_seconds``, too. What this process
made due is told at once; what another one did, PostgreSQL tells (``listening``), and of SQLite a
number is read that changes with every commit.

An idle worker listens, asks once when something falls due by itself, and looks every
``poll_seconds`` all the same. A full worker ignores wake-ups, and a busy one leaves them to its
next turn. ``Queue.poll`` sends none, because the worker that settles there also claims there.
So a retry of a killed worker, and a lease that ran out, wait for one poll at most.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    suppress,
)
from functools import partial
from typing import Protocol

from leanbe_emitter.delivery.worker.listening import listening
from leanbe_emitter.storage.engine.commit_counter import CommitCounter
from leanbe_emitter.storage.engine.database import Database

#: How soon SQLite is asked again after something happened, and how late after long quiet, in
#: seconds: a delivery starts at once while there are any, and an idle worker costs next to nothing.
SHORTEST_SECONDS, LONGEST_SECONDS = 0.002, 0.025
#: By how much the pause grows each time that nothing happened.
GROWTH = 1.1


class Wakeups(Protocol):
    """What tells a worker that something may be due."""

    def __call__(self, tell: Callable[[], None], /) -> AbstractAsyncContextManager[None]:
        """Call ``tell`` in the running loop while the block lasts; too often does no harm."""
        ...


@asynccontextmanager
async def nobody(_: Callable[[], None], /) -> AsyncIterator[None]:
    """Tell nothing: the worker looks by itself."""
    yield


def wakeups_of(database: Database) -> Wakeups:
    """Return what tells of everything that any process makes due in a database."""
    return partial(_telling, database)


@asynccontextmanager
async def _telling(database: Database, tell: Callable[[], None], /) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        stack.enter_context(database.notifying(partial(_tell_loop, loop, tell)))
        if database.dialect == "postgresql":
            await stack.enter_async_context(listening(database, tell))
        elif not database.in_memory:
            watch = stack.enter_context(closing(CommitWatch(CommitCounter(database), tell)))
            watch.look()
        yield


def _tell_loop(loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
    # A loop that was closed meanwhile has nobody to tell, and who committed is not to hear of it.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(tell)


class CommitWatch:
    """Looks whether anybody has committed to a file of SQLite: often after a commit, seldom later.

    It looks on the loop's own thread: that takes microseconds and waits for nobody.
    """

    def __init__(self, commits: CommitCounter, tell: Callable[[], None]) -> None:
        self._commits = commits
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._version = commits.version()
        self._pause_seconds = SHORTEST_SECONDS
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Tell if there was a commit since the last look; look again after a pause."""
        version = self._commits.version()
        if version == self._version:
            self._pause_seconds = min(self._pause_seconds * GROWTH, LONGEST_SECONDS)
        else:
            self._version, self._pause_seconds = version, SHORTEST_SECONDS
            self._tell()
        self._timer = self._loop.call_later(self._pause_seconds, self.look)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._commits.close()
