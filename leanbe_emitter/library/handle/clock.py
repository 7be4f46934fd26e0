"""``leanbe.clock``: reads the time, and moves it with all attempts that fall due on the way.

The clock stops at each instant at which an attempt is due, and the attempt is made at that instant.
A retry that the attempt schedules within the move is made, too. If several processes share the
clock, it leaves a stop only when none of them has an attempt in flight; attempts that are due at
the same instant may be in flight together.

``advance`` moves the clock from a stop only if the clock still stands there. So the moves of
several processes add up, and no process skips a stop of another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, literal, select

from leanbe_emitter.clock import (
    MANUAL,
    RANGE,
    MovableClock,
    check_instant,
    from_milliseconds,
    to_milliseconds,
)
from leanbe_emitter.delivery.queue.due_queries import next_due
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.errors import Conflict, EndlessDeliveries, InvalidValue
from leanbe_emitter.library.deliveries.journal import Journal
from leanbe_emitter.library.runtime.awaitables import Results, wait_until, waits
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.storage.queries.stored_clock import HOW_TO_MOVE, StoredClock, kind_of
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import DeliveryRow
from leanbe_emitter.wire.instants import print_instant

#: After so many stops with attempts, the move is called endless.
MOST_STOPS = 10_000
#: How long a shared clock waits for attempts of other processes, in seconds: longer than a lease
#: and than the longest timeout of an attempt.
OTHERS_SECONDS = 60.0

# A partial index serves only a statement that names its state as a literal.
_NEXT_DUE = select(func.min(DeliveryRow.due_at)).where(
    DeliveryRow.state
    == literal(DeliveryState.WAITING, DeliveryRow.__table__.c.state.type, literal_execute=True)
)


@dataclass(frozen=True, kw_only=True)
class NextAttempts:
    """When the next retry falls due.

    Attributes:
        at: the instant.
        count: how many deliveries fall due then.
    """

    at: datetime
    count: int

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"at": print_instant(self.at), "count": self.count}


class AdvancingClock:
    """The clock of a handle.

    Args:
        transactions: have the source of time; a ``ManualClock`` or the database's manual clock can
            be moved.
        deliver: makes every attempt that is due, and returns the attempts.
        journal: the journal of other processes' attempts, if the clock is the database's.
        queue: counts their attempts in flight.
    """

    def __init__(
        self,
        transactions: Transactions,
        *,
        deliver: Callable[[], Results[Attempt]],
        journal: Journal,
        queue: Queue,
    ) -> None:
        self._clock = transactions.clock
        self._transactions = transactions
        self._deliver = deliver
        self._journal = journal
        self._queue = queue

    @property
    def kind(self) -> str:
        """``manual`` if the clock can be moved, otherwise ``system``."""
        return kind_of(self._clock)

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC.

        Raises:
            NotAwaited: a call was not awaited.
        """
        self._transactions.unawaited.require_none()
        return self._clock.now()

    def set(self, instant: datetime) -> None:
        """Set the time, forwards or backwards. This call makes no attempts.

        If the clock is the database's, workers then make at once the attempts that are due.

        Raises:
            Conflict: the clock is the machine's own.
            InvalidValue: the instant has no time zone, or is out of ``clock.RANGE``.
            NotAwaited: a call was not awaited.
        """
        self._transactions.unawaited.require_none()
        check_instant(instant, what="The instant")
        if not RANGE[0] <= instant < RANGE[1]:
            raise _out_of_range(f"{instant.isoformat()} is no time for a clock.")
        self._movable().set(instant)

    def next(self) -> NextAttempts | None:
        """Return when the next retry falls due, and how many do; None: none does by itself.

        Deliveries that are due already, or in flight, do not count.
        """
        with self._transactions.looking() as session:
            found = next_due(session, after=to_milliseconds(self._clock.now()))
        if found is None:
            return None
        return NextAttempts(at=from_milliseconds(found.at), count=found.number)

    @waits("leanbe.clock.advance()")
    async def advance(
        self,
        *,
        seconds: float = 0,
        minutes: float = 0,
        hours: float = 0,
        days: float = 0,
        to: datetime | Literal["next"] | None = None,
    ) -> Results[Attempt]:
        """Move the clock forward, and make every attempt that falls due on the way at its time.

        Args:
            seconds: how far, with ``minutes``, ``hours`` and ``days``, if not ``to`` an instant.
            minutes: in minutes.
            hours: in hours.
            days: in days.
            to: an instant, or ``next``: the instant at which the next retry falls due.

        Attempts that are due already are made first. If the clock is the database's, the result
        includes the attempts of workers on the way. Moves by a distance add up: if several callers
        or processes move the clock at the same time, it moves by the sum.

        Returns:
            The attempts, in their order.

        Raises:
            Conflict: the clock is the machine's own, a transaction is open, or there is no next
                retry.
            InvalidValue: the move is not forward, or leads out of ``clock.RANGE``.
            EndlessDeliveries: new attempts fall due without end.
            WaitTimedOut: another process had an attempt in flight for a minute.
        """
        clock = self._movable()
        distance = _distance(seconds=seconds, minutes=minutes, hours=hours, days=days)
        if to is not None:
            if distance:
                raise InvalidValue("A move has a distance or an end.", hint="Give one of them.")
            distance = self._until(clock, to) - clock.now()
        if distance <= timedelta():
            raise InvalidValue(
                f"The time cannot be moved on by {distance}.",
                hint="Name how far, such as an hour. Back it goes only when it is set.",
            )
        return await self._run(clock, distance)

    @waits("leanbe.clock.run_until_settled()")
    async def run_until_settled(self) -> Results[Attempt]:
        """Move the clock forward until no delivery is pending, and make every attempt on the way.

        Returns:
            The attempts, in their order.

        Raises:
            Conflict: the clock is the machine's own, or a transaction is open.
            EndlessDeliveries: new attempts fall due without end.
            WaitTimedOut: another process had an attempt in flight for a minute.
        """
        return await self._run(self._movable(), None)

    def _until(self, clock: MovableClock, to: datetime | Literal["next"]) -> datetime:
        """Return the instant at which a move ends."""
        if to != "next":
            check_instant(to, what="to")
            return to
        if (found := self.next()) is None:
            raise Conflict(
                "No retry falls due by itself.",
                hint="Deliveries that are due already are sent without a move of the clock.",
            )
        return max(found.at, clock.now())

    async def _run(self, clock: MovableClock, distance: timedelta | None) -> Results[Attempt]:
        if not isinstance(clock, StoredClock):
            return await self._run_alone(clock, distance)
        since = self._journal.wait_cursor()
        await self._run_alone(clock, distance)
        entries = self._journal.read_all(since)
        return Results(each.attempt for each in entries if each.attempt is not None)

    async def _run_alone(self, clock: MovableClock, left: timedelta | None) -> Results[Attempt]:
        """Move the clock by ``left``, from stop to stop; None: until nothing is due any more.

        Another process may move the clock meanwhile. Then the step from the old instant is not
        made, and the loop looks again, so that each process moves by all of its distance.
        """
        attempts, stop = Results[Attempt](), None
        for _ in range(MOST_STOPS):
            seen = clock.now()
            end = None if left is None else _end(seen, left)
            made = await self._make_due()
            attempts += made
            due = self._next_due()
            if not made and due is not None and stop == due <= seen:
                due = None  # another process holds its lease
            if due is None or (end is not None and due > end):
                if end is None or clock.move_from(seen, to=end):
                    return attempts
            elif clock.move_from(seen, to=max(seen, due)):
                stop = due
                left = None if end is None else end - max(seen, due)
        raise EndlessDeliveries(
            f"Something fell due {MOST_STOPS} times, and still does.",
            hint="Does the receiver raise an event for each that it gets?",
        )

    async def _make_due(self) -> Results[Attempt]:
        """Make the attempts that are due; with a shared clock, wait until none is in flight."""
        attempts = await self._deliver()
        count_active = self._queue.count_active
        while isinstance(self._clock, StoredClock) and count_active():
            await wait_until(
                lambda: not count_active(),
                timeout_seconds=OTHERS_SECONDS,
                came=lambda: f"others still had {count_active()} attempts in flight",
            )
            attempts += await self._deliver()
        return attempts

    def _next_due(self) -> datetime | None:
        with self._transactions.looking() as session:
            due = session.scalar(_NEXT_DUE)
        return None if due is None else from_milliseconds(due)

    def _movable(self) -> MovableClock:
        if isinstance(self._clock, MovableClock) and self.kind == MANUAL:
            return self._clock
        raise Conflict("The machine's own clock cannot be moved.", hint=HOW_TO_MOVE)

    def __repr__(self) -> str:
        return repr(self._clock)


def _distance(**parts: float) -> timedelta:
    """Return the length of a move; if it is too long for a timedelta, the longest timedelta."""
    try:
        return timedelta(**parts)
    except OverflowError:
        return timedelta.max


def _end(seen: datetime, left: timedelta) -> datetime:
    """Return the instant at which a move ends."""
    if left >= RANGE[1] - seen:
        raise _out_of_range(f"{seen.isoformat()} cannot be moved on by {left}.")
    return seen + left


def _out_of_range(what: str) -> InvalidValue:
    return InvalidValue(
        what,
        hint=f"A clock is moved within the years {RANGE[0].year} to {RANGE[1].year - 1}, in UTC.",
    )
