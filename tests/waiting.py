"""Waiting for what another thread or process does: until it is seen, never for a while."""

import asyncio
from collections.abc import Callable

from leanbe_emitter.clock import pause, stopwatch

#: After so long, it does not happen any more.
PATIENCE_SECONDS = 60.0


def until(
    is_met: Callable[[], object], what: str, *, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Return as soon as the condition is met; fail after a long while, saying what was awaited."""
    started = stopwatch()
    while not is_met():
        assert stopwatch() - started < patience_seconds, f"waited in vain until {what}"
        pause(0.005)


async def seen(is_met: Callable[[], object], what: str) -> None:
    """Do the same on a loop, whose other tasks go on meanwhile."""
    started = stopwatch()
    while not is_met():
        assert stopwatch() - started < PATIENCE_SECONDS, f"waited in vain until {what}"
        await asyncio.sleep(0.005)
