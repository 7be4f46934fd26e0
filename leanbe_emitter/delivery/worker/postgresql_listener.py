"""PostgreSQL's LISTEN, on a connection of its own.

After a connection breaks, this module connects again, after growing pauses. Each new connection
wakes the worker once, because it missed the notifications of commits in between.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from leanbe_emitter.delivery.event_loops import in_background
from leanbe_emitter.delivery.worker.backoff import Backoff
from leanbe_emitter.storage.engine.database import CHANNEL, Database
from leanbe_emitter.storage.engine.postgresql_engine import driver_arguments

if TYPE_CHECKING:
    from psycopg import AsyncConnection

logger = logging.getLogger(__name__)


def listening(database: Database, wake: Callable[[], None]) -> AbstractAsyncContextManager[None]:
    """Call ``wake`` when any process makes a delivery due, while the block lasts."""
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
