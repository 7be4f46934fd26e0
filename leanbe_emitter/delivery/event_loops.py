"""Event loops: find the one that runs here, and run work in its background."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from leanbe_emitter.clock import pause


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return this thread's running event loop; None if it runs none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def sleep(seconds: float) -> None:
    """Wait for so much real time without blocking a loop that runs here."""
    if running_loop() is not None:
        await asyncio.sleep(seconds)
    else:
        pause(seconds)


@asynccontextmanager
async def in_background(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run work as a task of the running loop while the block lasts."""
    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
