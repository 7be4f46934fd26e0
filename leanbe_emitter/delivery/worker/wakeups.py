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

from tenacity.wait import wait_exponential

from leanbe_emitter.delivery.worker.backoff import Backoff
from leanbe_emitter.delivery.worker.listening import listening
from leanbe_emitter.storage.engine.commit_counter import Commits
from leanbe_emitter.storage.engine.database import Database

#: Pauses between looks for commits to a SQLite file: 2 ms after a commit, then each 10 % longer,
#: up to 25 ms. So a busy worker starts a delivery at once, and an idle one costs almost nothing.
LOOK = wait_exponential(multiplier=0.002, exp_base=1.1, max=0.025)


class Wakeups(Protocol):
    """What tells a worker that something may be due."""

    def __call__(self, tell: Callable[[], None], /) -> AbstractAsyncContextManager[None]:
        """Call ``tell`` in the running loop while the block lasts; too often does no harm."""
        ...


@asynccontextmanager
async def no_wakeups(_: Callable[[], None], /) -> AsyncIterator[None]:
    """Tell nothing: the worker looks by itself."""
    yield


def wakeups_of(database: Database) -> Wakeups:
    """Return what tells of everything that any process makes due in a database."""
    return partial(_telling, database)


@asynccontextmanager
async def _telling(database: Database, tell: Callable[[], None], /) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        stack.enter_context(database.telling(partial(_tell_loop, loop, tell)))
        if database.dialect == "postgresql":
            await stack.enter_async_context(listening(database, tell))
        elif not database.in_memory:
            watch = stack.enter_context(closing(CommitWatch(Commits(database), tell)))
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

    def __init__(self, commits: Commits, tell: Callable[[], None]) -> None:
        self._commits = commits
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._version = commits.version()
        self._pauses = Backoff(LOOK)
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Tell if there was a commit since the last look; look again after a pause."""
        version = self._commits.version()
        if version != self._version:
            self._version = version
            self._pauses.reset()
            self._tell()
        self._timer = self._loop.call_later(self._pauses.next(), self.look)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._commits.close()
