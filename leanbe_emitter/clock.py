"""Clocks: the only source of time in the package.

Instants are aware datetimes in UTC. Rows hold them as whole milliseconds since 1970.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from leanbe_emitter.errors import InvalidValue

#: The range of a movable clock, without its end. Ids have four bytes of seconds since 1970: in
#: February 2106 they would begin again, and sort before all earlier ones.
RANGE: Final = (datetime(1971, 1, 1, tzinfo=UTC), datetime(2106, 1, 1, tzinfo=UTC))

#: The kinds of clocks: one that users move, and the machine's.
MANUAL, SYSTEM = "manual", "system"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: Protects moves of manual clocks. All clocks share it, so that they can be pickled and copied.
_MOVING = threading.Lock()


class Clock(Protocol):
    """A source of the present time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


@runtime_checkable
class MillisecondClock(Clock, Protocol):
    """A clock that also returns milliseconds without a datetime, at a tenth of the cost."""

    def now_ms(self) -> int:
        """Return the present instant in whole milliseconds since 1970, rounded down."""
        ...


@runtime_checkable
class MovableClock(Clock, Protocol):
    """A clock that stands still until somebody moves it."""

    def set(self, instant: datetime, /) -> None:
        """Set the time, also backwards."""
        ...

    def move_from(self, seen: datetime, /, *, to: datetime) -> bool:
        """Move the clock to ``to`` if it still shows ``seen``; else leave it as it is.

        Returns:
            Whether the clock moved.
        """
        ...


def check_instant(instant: object, *, what: str) -> None:
    """Check an instant that a caller gives; ``what`` names it in the message.

    Raises:
        InvalidValue: it is no datetime, or has no time zone.
    """
    if not isinstance(instant, datetime):
        raise InvalidValue(f"{what} is {instant!r}.", hint="It has to be a datetime, in UTC.")
    if instant.utcoffset() is None:
        raise InvalidValue(
            f"{instant.isoformat()} has no time zone.", hint="Give it one: tzinfo=UTC."
        )


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)

    def now_ms(self) -> int:
        """Return the machine's time in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def __repr__(self) -> str:
        return "SystemClock()"


class ManualClock:
    """A clock that only its methods move."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time of the last move."""
        return self._now

    def set(self, instant: datetime) -> None:
        """Set the time; also backwards, as machines' clocks may do."""
        with _MOVING:
            self._now = instant.astimezone(UTC)

    def move_from(self, seen: datetime, *, to: datetime) -> bool:
        """Move the clock to ``to`` if it still shows ``seen``; return whether it moved."""
        with _MOVING:
            if is_there := self._now == seen:
                self._now = to.astimezone(UTC)
            return is_there

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Move the time forward by the sum of the arguments."""
        with _MOVING:
            self._now += timedelta(seconds=seconds, minutes=minutes, hours=hours)

    def __repr__(self) -> str:
        return f"ManualClock({self._now.isoformat()})"


def milliseconds_of(clock: Clock) -> Callable[[], int]:
    """Return the fastest function for a clock's time in milliseconds since 1970."""
    # A subclass that changes ``now`` alone would inherit another time in ``now_ms``.
    if isinstance(clock, MillisecondClock) and _definer(clock, "now") is _definer(clock, "now_ms"):
        return clock.now_ms
    return lambda: to_milliseconds(clock.now())


def _definer(clock: Clock, method: str) -> type | None:
    """Return the class that defines a clock's method."""
    return next((each for each in type(clock).__mro__ if method in vars(each)), None)


def to_milliseconds(instant: datetime) -> int:
    """Return whole milliseconds since 1970, rounded down."""
    return (instant - _EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """Return the aware UTC datetime of milliseconds since 1970."""
    return _EPOCH + milliseconds * _MILLISECOND


def stopwatch() -> float:
    """Return seconds of a monotonic clock: for durations, never for instants."""
    return time.perf_counter()


def pause(seconds: float) -> None:
    """Sleep in real time, to wait for other processes."""
    time.sleep(seconds)
