"""The clock of a database: the system clock, or a manual clock, a row that all processes share.

A handle reads the clock's kind when it opens, whenever its worker rests, before it makes a retry,
and when somebody moves the clock or asks for its kind. A server without a worker reads it every two
seconds. In between, the system clock costs nothing, and a handle reads a manual clock each time. A
change of the clock wakes the workers.

A manual clock holds back retries only. Leases end by the system clock, so somebody can move the
manual clock while workers deliver, and a killed worker loses nothing while the clock stands still.
"""

import threading
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from leanbe_emitter.clock import (
    MANUAL,
    SYSTEM,
    Clock,
    ManualClock,
    MovableClock,
    SystemClock,
    from_milliseconds,
    to_milliseconds,
)
from leanbe_emitter.errors import Conflict, DatabaseUnavailable, InvalidValue
from leanbe_emitter.storage.engine.database import Database, notify_workers
from leanbe_emitter.storage.schema.tables import ClockRow
from leanbe_emitter.wire.did_you_mean import any_of

#: The hint where the clock cannot be moved, for every surface.
HOW_TO_MOVE = (
    "Make the clock manual: start a server with --clock manual, "
    'or open Leanbe(clock="manual") in Python.'
)

_NOW = select(ClockRow.now_at)
# For the driver itself: SQLAlchemy takes as long to compile it as to load half of our tables.
_NOW_TEXT = "SELECT now_at FROM manual_clock"
# Of two processes that make the clock manual at once, the second one waits and changes nothing.
_BEGIN = text(
    "INSERT INTO manual_clock (id, now_at, begun_at) VALUES (1, :now, :now)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_END = delete(ClockRow).returning(ClockRow.id)


def clock_of(database: Database, wanted: Clock | str | None = None) -> Clock:
    """Return the clock of a handle.

    Args:
        database: a database with its tables.
        wanted: ``manual`` or ``system`` sets the kind of the database's clock from now on. None
            leaves it as it is. A ``Clock`` is the handle's own.

    Raises:
        InvalidValue: the text is no kind of clock.
    """
    if not (wanted is None or isinstance(wanted, str)):
        return wanted
    if wanted not in {MANUAL, SYSTEM, None}:
        raise InvalidValue(f"{wanted!r} is no clock.", hint=f"Use {any_of([MANUAL, SYSTEM])}.")
    if database.in_memory:
        # No other process shares it.
        now = SystemClock().now()
        return ManualClock(now) if wanted == MANUAL else SystemClock()
    if wanted is not None:
        _settle(database, is_manual=wanted == MANUAL)
    clock = StoredClock(database)
    with database.reading() as session:
        clock.look(session)
    return clock


def stands_still(clock: Clock) -> bool:
    """Return whether a clock is a database's manual clock, as last read: this reads nothing."""
    return isinstance(clock, StoredClock) and clock.stands_still


def kind_of(clock: Clock) -> str:
    """Return the kind of a clock: ``manual``, which somebody has to move, or ``system``.

    Raises:
        DatabaseUnavailable: the clock is the database's, which cannot be read.
    """
    if isinstance(clock, StoredClock) and not clock.is_manual():
        return SYSTEM
    return MANUAL if isinstance(clock, MovableClock) else SYSTEM


def _settle(database: Database, *, is_manual: bool) -> None:
    """Set the kind of a database's clock. A clock that is manual already keeps its time."""
    now = to_milliseconds(SystemClock().now())
    with database.transaction() as session:
        changed = session.execute(_BEGIN, {"now": now}) if is_manual else session.execute(_END)
        if changed.all():
            notify_workers(session)


class StoredClock:
    """A database's clock. A process that moves a manual clock moves it for every process.

    The clock reads its row on connections of its own, as callers ask for the time in the middle of
    transactions. While the database cannot be read, the clock stands at the time that it read last.
    When the database's clock becomes the system clock, this clock follows at once. When it becomes
    manual, this clock follows as soon as somebody calls ``look``.

    Attributes:
        stands_still: whether the clock was manual when it was last read.
    """

    def __init__(self, database: Database) -> None:
        # A handle of its own, which connects when somebody asks for the time.
        self._database = database.new_handle()
        self._system = SystemClock()
        self._one_at_a_time = threading.Lock()
        self._asking: Any = None
        self._seen = self._system.now()
        self.stands_still = False

    def now(self) -> datetime:
        """Return the time that any process set last, or the system time."""
        if not self.stands_still:
            return self._system.now()
        with self._one_at_a_time:
            try:
                self._seen = self._asked()
            except (DatabaseUnavailable, self._database.engine.dialect.loaded_dbapi.Error):
                self._stop_asking()
            return self._seen

    def now_ms(self) -> int:
        """Return the same time in milliseconds since 1970."""
        return to_milliseconds(self.now()) if self.stands_still else self._system.now_ms()

    def is_manual(self) -> bool:
        """Return whether the database's clock is manual now.

        Raises:
            DatabaseUnavailable: the clock cannot be read.
        """
        with self._database.reading() as session:
            # Not the attribute, as another thread may call look meanwhile.
            return self.look(session)

    def look(self, session: Session) -> bool:
        """Read and return whether the database's clock is manual, in the caller's transaction."""
        standing = session.scalar(_NOW)
        if standing is not None:
            self._seen = from_milliseconds(standing)
        self.stands_still = is_manual = standing is not None
        return is_manual

    def set(self, instant: datetime) -> None:
        """Set the time, even backwards, and wake the workers.

        ``begin_again`` goes back to this time.

        Raises:
            Conflict: the database's clock is the system clock by now.
            DatabaseUnavailable: the clock cannot be written.
        """
        milliseconds = to_milliseconds(instant)
        with self._database.transaction() as session:
            self._move(session, milliseconds)
            session.execute(update(ClockRow).values(begun_at=milliseconds))

    def move_from(self, seen: datetime, *, to: datetime) -> bool:
        """Move the clock from the time that the caller saw, unless somebody has moved it since.

        Returns:
            Whether the clock still stood at that time. The errors are those of ``set``.
        """
        with self._database.transaction() as session:
            standing = session.scalar(_NOW.with_for_update())
            is_there = standing in {to_milliseconds(seen), None}
            if is_there:
                self._move(session, to_milliseconds(to))
            return is_there

    def begin_again(self, session: Session) -> datetime | None:
        """Go back to the time that was set last, or at which the clock became manual.

        This happens in the caller's transaction.

        Returns:
            The time, which ``now`` returns after the commit; None for the system clock.
        """
        begun_at = session.scalar(select(ClockRow.begun_at))
        if begun_at is None:
            return None
        self._move(session, begun_at)
        return from_milliseconds(begun_at)

    def close(self) -> None:
        """Close the connections."""
        with self._one_at_a_time:
            self._stop_asking()
        self._database.close()

    def _asked(self) -> datetime:
        """Read the time on the driver itself: a worker does so several times for each attempt."""
        if self._asking is None:
            self._asking = self._database.new_driver_connection()
            if self._database.dialect == "postgresql":
                self._asking.autocommit = True
        standing = self._asking.execute(_NOW_TEXT).fetchall()
        if standing:
            return from_milliseconds(standing[0][0])
        self.stands_still = False
        return self._system.now()

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.close()
            self._asking = None

    def _move(self, session: Session, milliseconds: int) -> None:
        moved = session.scalar(update(ClockRow).values(now_at=milliseconds).returning(ClockRow.id))
        if moved is None:
            raise Conflict(
                "The database's clock is the system clock by now: it cannot be moved.",
                hint=HOW_TO_MOVE,
            )
        notify_workers(session)

    def __repr__(self) -> str:
        return f"StoredClock({self._database!r})"
