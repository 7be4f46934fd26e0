"""News: whoever waits for something in the database is told that it is time to look.

The worker inside tells of what it settled at once, and the server of its own commits. What other
processes do is found by one look at the journal's end for all who wait, again and again, and only
while somebody waits.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.library import Leanbe

#: How often the journal is looked at, in seconds.
LOOK_SECONDS = 0.05
#: How long it waits between telling of the server's own commits, in seconds: one look finds many.
PAUSE_SECONDS = 0.01
#: How long somebody waits at the most before looking without having been told, in seconds.
REST_SECONDS = 1.0


class Listener:
    """Somebody who waits: news that came since the last wait is not missed."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    def hear(self) -> None:
        """Note that there is news."""
        self._heard.set()

    async def wait(self, seconds: float) -> None:
        """Wait for news, for so long at the most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, REST_SECONDS)):
                await self._heard.wait()
        self._heard.clear()


class ChangeNotifier:
    """Tells all who wait; a ``Watcher`` of the worker inside.

    Attributes:
        is_over: whether the server stops: nobody is to wait any more.
    """

    def __init__(self, leanbe: Leanbe) -> None:
        self.is_over = False
        self._leanbe = leanbe
        self._ears = set[Listener]()
        self._looking: asyncio.Task[None] | None = None
        self._telling_at = 0.0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """Be told of news from now on, until the block ends."""
        ear = Listener()
        self._ears.add(ear)
        if self._looking is None or self._looking.done():
            self._telling_at = 0.0
            self._looking = asyncio.create_task(self._look())
        try:
            yield ear
        finally:
            self._ears.discard(ear)

    @property
    def ears(self) -> int:
        """How many wait."""
        return len(self._ears)

    def tell(self) -> None:
        """Tell all who wait."""
        for ear in self._ears:
            ear.hear()

    def committed(self) -> None:
        """Tell, on the server's loop, of a commit of its own: at once, or after a pause."""
        loop = asyncio.get_running_loop()
        if self._ears and self._telling_at <= loop.time():
            self._telling_at = max(loop.time(), self._telling_at + PAUSE_SECONDS)
            loop.call_at(self._telling_at, self.tell)

    def end(self) -> None:
        """Let nobody wait any more."""
        self.is_over = True
        self.tell()

    def begun(self, claimed: Claimed) -> None:
        """An attempt begins: nothing has come of it yet."""

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:  # noqa: ARG002 - a Watcher's
        """An attempt is settled."""
        self.tell()

    async def _look(self) -> None:
        """Tell of whatever the journal has gained, for as long as somebody waits."""
        seen = None
        while self._ears:
            # A database that is away has no news; whoever waits finds that out.
            with suppress(DatabaseUnavailable):
                # In a thread of the loop's own, which ends with it.
                end = await asyncio.to_thread(self._leanbe.journal.follow_cursor)
                if end != seen:
                    seen = end
                    self.tell()
            await asyncio.sleep(LOOK_SECONDS)
