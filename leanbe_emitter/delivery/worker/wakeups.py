"""Wake-ups: signals to a worker that a delivery may be due, so that it polls less often.

No worker depends on them: it also polls every ``poll_seconds``. Commits of this process wake it at
once. PostgreSQL notifies it of commits by other processes (LISTEN). For SQLite it reads a
number that changes with every commit.

An idle worker waits for wake-ups, asks once when the next delivery falls due, and polls every
``poll_seconds``. A full worker ignores wake-ups, and a busy one leaves them to its next turn.
``Queue.poll`` sends none, because the worker that settles there also claims there. So a retry of a
killed worker, or an expired lease, waits for one poll at most.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    suppress,
)
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from tenacity.wait import wait_exponential

from leanbe_emitter.delivery.event_loops import in_background
from leanbe_emitter.delivery.reconnect_pauses import Backoff
from leanbe_emitter.storage.engine.database import CHANNEL, CommitCounter, Database
from leanbe_emitter.storage.engine.postgresql import driver_arguments

if TYPE_CHECKING:
    from psycopg import AsyncConnection

logger = logging.getLogger(__name__)

#: Pauses between polls for commits to a SQLite file: 2 ms after a commit, then each 10 % longer,
#: up to 25 ms. So a busy worker starts a delivery at once, and an idle one costs almost nothing.
POLL = wait_exponential(multiplier=0.002, exp_base=1.1, max=0.025)


class Wakeups(Protocol):
    """Source of wake-ups for a worker."""

    def __call__(self, wake: Callable[[], None], /) -> AbstractAsyncContextManager[None]:
        """Call ``wake`` in the running loop while the block lasts; extra calls do no harm."""
        ...


@asynccontextmanager
async def no_wakeups(_: Callable[[], None], /) -> AsyncIterator[None]:
    """Send no wake-ups: the worker polls only."""
    yield


@asynccontextmanager
async def waking(database: Database, wake: Callable[[], None], /) -> AsyncIterator[None]:
    """Call ``wake`` when any process makes a delivery due, while the block lasts."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        stack.enter_context(database.notifying(partial(_wake_loop, loop, wake)))
        if database.dialect == "postgresql":
            await stack.enter_async_context(_listening(database, wake))
        elif not database.in_memory:
            watch = stack.enter_context(closing(CommitWatch(CommitCounter(database), wake)))
            watch.poll()
        yield


def _wake_loop(loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
    # The loop may be closed by now; the thread that committed must not see that error.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(wake)


class CommitWatch:
    """Poll a SQLite file for commits: often after a commit, less often later.

    It polls on the loop's own thread: that takes microseconds and never blocks.
    """

    def __init__(self, commits: CommitCounter, wake: Callable[[], None]) -> None:
        self._commits = commits
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._version = commits.version()
        self._pauses = Backoff(POLL)
        self._timer: asyncio.TimerHandle | None = None

    def poll(self) -> None:
        """Wake the worker if there was a commit since the last poll; poll again after a pause."""
        version = self._commits.version()
        if version != self._version:
            self._version = version
            self._pauses.reset()
            self._wake()
        self._timer = self._loop.call_later(self._pauses.next(), self.poll)

    def close(self) -> None:
        """Stop polling."""
        if self._timer is not None:
            self._timer.cancel()
        self._commits.close()


def _listening(database: Database, wake: Callable[[], None]) -> AbstractAsyncContextManager[None]:
    """Call ``wake`` for PostgreSQL's notifications, on a connection of its own.

    It connects again after growing pauses. Each new connection wakes the worker once, because it
    missed the notifications of commits in between.
    """
    return in_background(partial(_keep_listening, database, wake))


async def _keep_listening(database: Database, wake: Callable[[], None]) -> None:
    from psycopg import Error  # noqa: PLC0415 - an extra, which SQLite does without

    backoff = Backoff()
    while True:
        try:
            async with await _connect(database) as connection:
                await connection.execute(f"LISTEN {CHANNEL}".encode())
                backoff.reset()
                wake()
                await _watch_notifications(connection, wake)
        except (Error, OSError) as error:
            logger.info(
                "PostgreSQL sends no notifications for now: the worker polls.",
                extra={"reason": str(error).partition("\n")[0]},
            )
        await asyncio.sleep(backoff.next())


async def _connect(database: Database) -> "AsyncConnection[Any]":
    from psycopg import AsyncConnection  # noqa: PLC0415 - an extra, which SQLite does without

    arguments, options = database.engine.dialect.create_connect_args(database.url)
    options.update(driver_arguments(database.url))
    return await AsyncConnection.connect(*arguments, autocommit=True, **options)


async def _watch_notifications(
    connection: "AsyncConnection[Any]", wake: Callable[[], None]
) -> None:
    """Call ``wake`` for notifications, until the connection breaks.

    The loop itself watches the socket. So an idle worker does nothing at all, and all notifications
    of a busy moment make one call.
    """
    loop = asyncio.get_running_loop()
    broken: asyncio.Future[None] = loop.create_future()

    def read() -> None:
        try:
            if _has_notification(connection.pgconn):
                wake()
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            loop.remove_reader(socket)
            broken.set_exception(error)

    socket = connection.pgconn.socket
    loop.add_reader(socket, read)
    try:
        await broken
    finally:
        loop.remove_reader(socket)


def _has_notification(connection: Any) -> bool:
    """Read what has arrived; say whether it held a notification."""
    connection.consume_input()
    has_one = False
    while connection.notifies() is not None:
        has_one = True
    return has_one
