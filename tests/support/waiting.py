"""Waiting for what another thread or process does: until it is seen, never for a while."""

import asyncio
from collections.abc import Callable

from leanbe_emitter.clock import pause, stopwatch

#: After so long, it does not happen any more.
PATIENCE_SECONDS = 60.0


def wait_until(
    is_met: Callable[[], object], what: str, *, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Return as soon as the condition is met; fail after a long while, saying what was awaited."""
    started = stopwatch()
    while not is_met():
        waited = stopwatch() - started
        assert waited < patience_seconds, f"waited in vain until {what}"
        pause(_rest(waited))


async def async_wait_until(is_met: Callable[[], object], what: str) -> None:
    """Do the same on a loop, whose other tasks go on meanwhile."""
    started = stopwatch()
    while not is_met():
        waited = stopwatch() - started
        assert waited < PATIENCE_SECONDS, f"waited in vain until {what}"
        await asyncio.sleep(_rest(waited))


def _rest(waited: float) -> float:
    """Return when to look again, in seconds: looking takes time from what is waited for."""
    return min(0.005 + waited / 20, 0.03)
