"""Waiting for another thread or process: until a condition holds, never for a fixed time."""

import asyncio
from collections.abc import Callable

from leanbe_emitter.clock import pause, stopwatch

#: How long to wait before the test fails, in seconds.
PATIENCE_SECONDS = 60.0


def wait_until(
    is_met: Callable[[], object], what: str, *, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Return as soon as the condition holds; fail after a long time, and say what was awaited."""
    started = stopwatch()
    while not is_met():
        waited = stopwatch() - started
        assert waited < patience_seconds, f"after {waited:.1f} s still not true: {what}"
        pause(_rest(waited))


async def async_wait_until(is_met: Callable[[], object], what: str) -> None:
    """Do the same in an event loop, whose other tasks continue."""
    started = stopwatch()
    while not is_met():
        waited = stopwatch() - started
        assert waited < PATIENCE_SECONDS, f"after {waited:.1f} s still not true: {what}"
        await asyncio.sleep(_rest(waited))


def _rest(waited: float) -> float:
    """Return the pause before the next check, in seconds; checks slow the other side down."""
    return min(0.005 + waited / 20, 0.03)
