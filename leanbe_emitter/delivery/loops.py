"""Event loops: whether one runs where the present code does, and work beside other work in it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from leanbe_emitter.clock import pause


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that this thread runs; None where it runs none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def is_running_loop() -> bool:
    """Say whether this thread runs an event loop."""
    return running_loop() is not None


async def rest(seconds: float) -> None:
    """Let so much real time pass, in which a loop that runs here goes on."""
    if is_running_loop():
        await asyncio.sleep(seconds)
    else:
        pause(seconds)


@asynccontextmanager
async def in_background(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Do work in the running loop for as long as the block lasts."""
    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
