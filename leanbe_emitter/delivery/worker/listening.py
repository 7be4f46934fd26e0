"""LISTEN: what a PostgreSQL database tells whoever listens, on a connection of its own.

A connection that breaks is made again, after pauses that grow; whoever was told through it is told
once more as soon as it listens, because what was committed meanwhile was said to nobody.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any

from leanbe_emitter.delivery.loops import in_background
from leanbe_emitter.delivery.worker.backoff import Backoff
from leanbe_emitter.storage.engine.database import Database, driver_arguments
from leanbe_emitter.storage.engine.notify import CHANNEL

if TYPE_CHECKING:
    from psycopg import AsyncConnection

logger = logging.getLogger(__name__)


def listening(database: Database, tell: Callable[[], None]) -> AbstractAsyncContextManager[None]:
    """Call ``tell`` for what any process makes due, for as long as the block lasts."""
    return in_background(partial(_keep_listening, database, tell))


async def _keep_listening(database: Database, tell: Callable[[], None]) -> None:
    from psycopg import Error  # noqa: PLC0415 - an extra, which SQLite does without

    backoff = Backoff()
    while True:
        try:
            async with await _connect(database) as connection:
                await connection.execute(f"LISTEN {CHANNEL}".encode())
                backoff.reset()
                tell()
                await _told(connection, tell)
        except (Error, OSError) as error:
            logger.info(
                "PostgreSQL tells nothing for now: the worker looks by itself.",
                extra={"reason": str(error).partition("\n")[0]},
            )
        await asyncio.sleep(backoff.next())


async def _connect(database: Database) -> "AsyncConnection[Any]":
    from psycopg import AsyncConnection  # noqa: PLC0415 - an extra, which SQLite does without

    arguments, options = database.engine.dialect.create_connect_args(database.url)
    options.update(driver_arguments(database.url))
    return await AsyncConnection.connect(*arguments, autocommit=True, **options)


async def _told(connection: "AsyncConnection[Any]", tell: Callable[[], None]) -> None:
    """Call ``tell`` for what is said, until the connection breaks.

    The socket is watched by the loop itself: an idle worker does nothing at all, and what was said
    while the loop was busy is one call.
    """
    loop = asyncio.get_running_loop()
    broken: asyncio.Future[None] = loop.create_future()

    def read() -> None:
        try:
            if _was_told(connection.pgconn):
                tell()
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            loop.remove_reader(socket)
            broken.set_exception(error)

    socket = connection.pgconn.socket
    loop.add_reader(socket, read)
    try:
        await broken
    finally:
        loop.remove_reader(socket)


def _was_told(connection: Any) -> bool:
    """Take in what has arrived; say whether there was a notification among it."""
    connection.consume_input()
    was_told = False
    while connection.notifies() is not None:
        was_told = True
    return was_told
