"""The effects of requests, seen in an observation that has come to rest.

Invariant: no effect is claimed, and none denied, unless the value was quiet for long enough:
``settle_seconds``, or three times as long as the first effect took.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from leanbe_emitter.conformance.observing import Observe
from leanbe_emitter.wire.stringify import JSON

#: How long to wait for the very first effect, in seconds.
_PATIENCE_SECONDS = 2.0
#: How much longer than the first effect took the value has to be quiet.
_FACTOR = 3
_FIRST_STEP, _LONGEST_STEP = 0.02, 0.1


class NeverQuiet(Exception):
    """The value went on changing until the time was over."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How a run waits.

    Attributes:
        pause: waits for so many seconds.
        stopwatch: returns seconds of a monotonic clock.
        finish: waits until a receiver in this process has done its work after its answers.
        settle_seconds: the shortest time without a change; 0 for a receiver in this process.
        timeout_seconds: the longest wait for it.
    """

    pause: Callable[[float], Awaitable[None]]
    stopwatch: Callable[[], float]
    finish: Callable[[], Awaitable[None]]
    settle_seconds: float = 0.3
    timeout_seconds: float = 10.0


class Effects:
    """Watches an observation.

    Args:
        observe: reads the value.
        timing: how to wait.

    Attributes:
        seen_seconds: how long after the answer the first effect was seen; None before that.
        value: the last reading.
    """

    def __init__(self, observe: Observe, timing: Timing) -> None:
        self._observe = observe
        self._timing = timing
        self.seen_seconds: float | None = None
        self.value: JSON = None

    async def read(self) -> JSON:
        """Read once, without a wait for rest."""
        await self._timing.finish()
        self.value = await self._observe()
        return self.value

    async def after_change(self) -> None:
        """Wait for a first effect, longer than for any later one."""
        before, begun = self.value, self._timing.stopwatch()
        is_patient = self.seen_seconds is None and self._timing.settle_seconds > 0
        while is_patient and self._timing.stopwatch() - begun < _PATIENCE_SECONDS:
            value = await self.read()
            if value != before:
                taken = self._timing.stopwatch() - begun
                self.seen_seconds = taken if taken > _FIRST_STEP else 0
                break
            await self._timing.pause(_FIRST_STEP)

    async def at_rest(self) -> JSON:
        """Return the value when it has been quiet for long enough.

        Raises:
            NeverQuiet: it changes too often.
        """
        begun = changed = self._timing.stopwatch()
        value, step = await self.read(), _FIRST_STEP
        while self._timing.stopwatch() - changed < self._quiet_seconds:
            await self._timing.pause(min(step, self._quiet_seconds))
            step = min(step * 2, _LONGEST_STEP)
            newer = await self.read()
            now = self._timing.stopwatch()
            if newer != value:
                value, changed = newer, now
            if now - begun > self._timing.timeout_seconds:
                raise NeverQuiet
        return value

    @property
    def _quiet_seconds(self) -> float:
        return max(self._timing.settle_seconds, _FACTOR * (self.seen_seconds or 0))
