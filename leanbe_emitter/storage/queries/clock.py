"""The clock of a database: the machine's, or a manual one: a row, the same for all processes.

Which of them it is, a handle learns when it is opened, and may look again: its worker does so
whenever it rests, and whoever makes retries before that. In between, the machine's costs nothing,
and a manual one is asked for each time.

A handle looks at the kind of clock when it opens, whenever its worker rests, before it makes a
retry, and when its clock is moved or asked for its kind. A server without a worker looks every two
seconds. A change of the clock wakes the workers.

A manual clock holds back retries only. Leases run out by the machine's clock: so somebody can move
the manual one while others deliver, and a killed worker loses nothing while it stands still.
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
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.engine.notify import tell_workers
from leanbe_emitter.storage.schema.tables import ClockRow
from leanbe_emitter.wire.suggestions import any_of

#: What to do where the clock cannot be moved, as holds however somebody comes to it.
HOW_TO_MOVE = (
    "A server that is started with --clock manual makes it manual, "
    'and so does Leanbe(clock="manual") in Python.'
)

_NOW = select(ClockRow.now_at)
# As the driver takes it: SQLAlchemy takes as long to write it as to load the half of our tables.
_NOW_TEXT = "SELECT now_at FROM manual_clock"
# Who makes it manual while another one does waits for that, and changes nothing.
_BEGIN = text(
    "INSERT INTO manual_clock (id, now_at, begun_at) VALUES (1, :now, :now)"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_END = delete(ClockRow).returning(ClockRow.id)


def clock_of(database: Database, wanted: Clock | str | None = None) -> Clock:
    """Return the clock of a handle.

    Args:
        database: has its tables.
        wanted: ``manual`` or ``system`` for what the database's is to be from now on; None: as it
            is; a clock of the handle's own.

    Raises:
        InvalidValue: there is no such clock.
    """
    if not (wanted is None or isinstance(wanted, str)):
        return wanted
    if wanted not in {MANUAL, SYSTEM, None}:
        raise InvalidValue(f"{wanted!r} is no clock.", hint=f"Use {any_of([MANUAL, SYSTEM])}.")
    if database.in_memory:
        # Nobody shares it.
        now = SystemClock().now()
        return ManualClock(now) if wanted == MANUAL else SystemClock()
    if wanted is not None:
        _settle(database, is_manual=wanted == MANUAL)
    clock = StoredClock(database)
    with database.reading() as session:
        clock.look(session)
    return clock


def stands_still(clock: Clock) -> bool:
    """Say whether a clock is a database's, and manual, as far as is known: nothing is asked."""
    return isinstance(clock, StoredClock) and clock.stands_still


def kind_of(clock: Clock) -> str:
    """Return what a clock is: ``manual``, which somebody has to move, or ``system``.

    Raises:
        DatabaseUnavailable: the clock is the database's, which cannot be asked.
    """
    if isinstance(clock, StoredClock) and not clock.is_manual():
        return SYSTEM
    return MANUAL if isinstance(clock, MovableClock) else SYSTEM


def _settle(database: Database, *, is_manual: bool) -> None:
    """Let a database's clock be manual, or the machine's; a manual one goes on where it stands."""
    now = to_milliseconds(SystemClock().now())
    with database.transaction() as session:
        changed = session.execute(_BEGIN, {"now": now}) if is_manual else session.execute(_END)
        if changed.all():
            tell_workers(session)


class StoredClock:
    """A database's clock: where it is manual, whoever moves it moves it for every process.

    It is asked on connections of its own, because the time is asked for in the middle of
    transactions. Where nobody can be asked, it stands where it was last seen. Once the database's
    clock is the machine's again, so is this one; once it is manual, this one is when it has looked.

    Attributes:
        stands_still: whether it was manual when it was last looked at.
    """

    def __init__(self, database: Database) -> None:
        # A handle of its own, which connects when it is asked.
        self._database = database.again()
        self._machines = SystemClock()
        self._one_at_a_time = threading.Lock()
        self._asking: Any = None
        self._seen = self._machines.now()
        self.stands_still = False

    def now(self) -> datetime:
        """Return the time that was last set, by whichever process; or the machine's."""
        if not self.stands_still:
            return self._machines.now()
        with self._one_at_a_time:
            try:
                self._seen = self._asked()
            except (DatabaseUnavailable, self._database.engine.dialect.loaded_dbapi.Error):
                self._stop_asking()
            return self._seen

    def now_ms(self) -> int:
        """Return the same time in milliseconds since 1970."""
        return to_milliseconds(self.now()) if self.stands_still else self._machines.now_ms()

    def is_manual(self) -> bool:
        """Say whether the database's clock is manual now.

        Raises:
            DatabaseUnavailable: it cannot be asked.
        """
        with self._database.reading() as session:
            # Not by the attribute: another thread may look meanwhile.
            return self.look(session)

    def look(self, session: Session) -> bool:
        """See, and say, whether the database's clock is manual now, in the caller's transaction."""
        standing = session.scalar(_NOW)
        if standing is not None:
            self._seen = from_milliseconds(standing)
        self.stands_still = is_manual = standing is not None
        return is_manual

    def set(self, instant: datetime) -> None:
        """Set the time, backwards too, and let workers look what is due by that.

        From there it begins again, if it is told to.

        Raises:
            Conflict: the database's clock is the machine's by now.
            DatabaseUnavailable: it cannot be written.
        """
        milliseconds = to_milliseconds(instant)
        with self._database.transaction() as session:
            self._move(session, milliseconds)
            session.execute(update(ClockRow).values(begun_at=milliseconds))

    def move_from(self, seen: datetime, *, to: datetime) -> bool:
        """Move on from where it was seen, unless another process has moved it since.

        Returns:
            Whether it stood there; raises what ``set`` does.
        """
        with self._database.transaction() as session:
            standing = session.scalar(_NOW.with_for_update())
            is_there = standing in {to_milliseconds(seen), None}
            if is_there:
                self._move(session, to_milliseconds(to))
            return is_there

    def begin_again(self, session: Session) -> datetime | None:
        """Go back to where it was last set, or began to be manual, in the caller's transaction.

        Returns:
            The instant, which ``now`` tells when the transaction is committed; None where the
            clock is the machine's.
        """
        begun_at = session.scalar(select(ClockRow.begun_at))
        if begun_at is None:
            return None
        self._move(session, begun_at)
        return from_milliseconds(begun_at)

    def close(self) -> None:
        """Close its connections."""
        with self._one_at_a_time:
            self._stop_asking()
        self._database.close()

    def _asked(self) -> datetime:
        """Ask the driver itself: a worker's loop does so several times for each attempt."""
        if self._asking is None:
            self._asking = self._database.own_connection()
            if self._database.dialect == "postgresql":
                self._asking.autocommit = True
        standing = self._asking.execute(_NOW_TEXT).fetchall()
        if standing:
            return from_milliseconds(standing[0][0])
        self.stands_still = False
        return self._machines.now()

    def _stop_asking(self) -> None:
        if self._asking is not None:
            self._asking.close()
            self._asking = None

    def _move(self, session: Session, milliseconds: int) -> None:
        moved = session.scalar(update(ClockRow).values(now_at=milliseconds).returning(ClockRow.id))
        if moved is None:
            raise Conflict(
                "The database's clock is the machine's by now: it cannot be moved.",
                hint=HOW_TO_MOVE,
            )
        tell_workers(session)

    def __repr__(self) -> str:
        return f"StoredClock({self._database!r})"
