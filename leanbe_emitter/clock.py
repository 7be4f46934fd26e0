"""Time comes from a Clock: nobody else in the package asks the system what time it is.

Instants are aware datetimes in UTC; rows hold them as whole milliseconds since 1970.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, runtime_checkable

#: Where a clock can be moved to: from the first until before the second. What is computed from it,
#: a retry or an instant of another zone, stays a date that there is, too.
RANGE: Final = (datetime(1971, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))

#: What a clock can be: one that somebody has to move, or the machine's.
MANUAL, SYSTEM = "manual", "system"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: Held by whoever moves a manual clock. It is no clock's own: so they can be pickled, and copied.
_ONE_MOVES = threading.Lock()


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


@runtime_checkable
class MillisecondClock(Clock, Protocol):
    """A clock that also tells milliseconds, without a date in between: a tenth of the cost."""

    def now_ms(self) -> int:
        """Return the present instant in whole milliseconds since 1970, rounded down."""
        ...


@runtime_checkable
class MovableClock(Clock, Protocol):
    """A clock that stands still until it is moved."""

    def set(self, instant: datetime, /) -> None:
        """Set the time, backwards too."""
        ...

    def move_from(self, seen: datetime, /, *, to: datetime) -> bool:
        """Move on from where it was seen; where it stands elsewhere by now, stay there.

        Returns:
            Whether it stood there.
        """
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)

    def now_ms(self) -> int:
        """Return the machine's time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def __repr__(self) -> str:
        return "SystemClock()"


class ManualClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time that was last set."""
        return self._now

    def set(self, instant: datetime) -> None:
        """Set the time; backwards, too, as the clocks of machines do."""
        with _ONE_MOVES:
            self._now = instant.astimezone(UTC)

    def move_from(self, seen: datetime, *, to: datetime) -> bool:
        """Move on from where it was seen; where it stands elsewhere by now, stay there."""
        with _ONE_MOVES:
            if is_there := self._now == seen:
                self._now = to.astimezone(UTC)
            return is_there

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Move the time on by so much."""
        with _ONE_MOVES:
            self._now += timedelta(seconds=seconds, minutes=minutes, hours=hours)

    def __repr__(self) -> str:
        return f"ManualClock({self._now.isoformat()})"


def milliseconds_of(clock: Clock) -> Callable[[], int]:
    """Return what tells a clock's time in whole milliseconds since 1970, the quickest way."""
    if isinstance(clock, MillisecondClock):
        return clock.now_ms
    return lambda: to_milliseconds(clock.now())


def to_milliseconds(instant: datetime) -> int:
    """Return whole milliseconds since 1970, rounded down."""
    return (instant - _EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """Return the aware UTC instant of so many milliseconds since 1970."""
    return _EPOCH + milliseconds * _MILLISECOND


def stopwatch() -> float:
    """Return seconds of a clock that only goes forward: for durations, never for instants."""
    return time.perf_counter()


def pause(seconds: float) -> None:
    """Let so much real time pass: for somebody who waits for other processes."""
    time.sleep(seconds)
