"""Callers that share a handle make attempts one after the other, in threads and in a loop."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from leanbe_emitter.delivery.loops import is_running_loop

#: How often somebody in an event loop asks whether it is their turn, in seconds.
LOOK_SECONDS = 0.002


class Turns:
    """Gives one caller after the other a turn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Have a turn for as long as the block lasts."""
        # Who waits in a loop must not hold it up: whoever has the turn may need it.
        while not self._lock.acquire(blocking=not is_running_loop()):  # noqa: ASYNC110 - threads, too
            await asyncio.sleep(LOOK_SECONDS)
        try:
            yield
        finally:
            self._lock.release()
