"""``leanbe.clock``: the time, and moving it with all that falls due on the way.

What falls due is attempted in its order and at its own time: a retry that is due in half an hour is
made when the clock stands there, and what it schedules within the way is made, too. Where many
processes share the clock, it goes on only when none of them has anything in flight; of
what falls due at one instant, workers have several under way at once.

``advance`` moves the clock from a stop only if the clock still stands there. So moves of several
processes add up, and none passes over a stop of another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, literal, select

from leanbe_emitter.clock import MANUAL, RANGE, Clock, MovableClock, from_milliseconds
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.errors import Conflict, EndlessDeliveries, InvalidValue
from leanbe_emitter.library.deliveries.delivery import Attempt
from leanbe_emitter.library.deliveries.watching import Watching
from leanbe_emitter.library.runtime.awaitables import waits
from leanbe_emitter.library.runtime.polling import wait_until
from leanbe_emitter.library.runtime.results import Results
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.storage.queries.clock import HOW_TO_MOVE, StoredClock, kind_of
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import DeliveryRow

#: So many times something falls due before it is called endless.
MOST_TURNS = 10_000
#: How long a clock that is shared waits for what others have in flight, in seconds: a lease, or the
#: longest timeout of an attempt, and some more.
OTHERS_SECONDS = 60.0

# A partial index serves only a statement that names its state as a literal.
_NEXT_DUE = select(func.min(DeliveryRow.due_at)).where(
    DeliveryRow.state
    == literal(DeliveryState.WAITING, DeliveryRow.__table__.c.state.type, literal_execute=True)
)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What a clock that many processes share has to know of the others.

    Attributes:
        watching: tells what they have done.
        queue: tells what they have in flight.
    """

    watching: Watching
    queue: Queue


class AdvancingClock:
    """The clock of a handle.

    Args:
        clock: what tells the time; it can be moved if it is a ``ManualClock`` or the database's.
        deliver: makes every attempt that is due, and returns them.
        shared: is asked where the clock is the database's.
    """

    def __init__(
        self,
        clock: Clock,
        transactions: Transactions,
        *,
        deliver: Callable[[], Results[Attempt]],
        shared: Shared,
    ) -> None:
        self._clock = clock
        self._transactions = transactions
        self._deliver = deliver
        self._shared = shared

    @property
    def kind(self) -> str:
        """Whether it can be moved: ``manual``, or ``system``."""
        return kind_of(self._clock)

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC.

        Raises:
            NotAwaited: a call was not awaited.
        """
        self._transactions.unawaited.require_none()
        return self._clock.now()

    def set(self, instant: datetime) -> None:
        """Set the time, backwards too; nothing is attempted here by that.

        Workers make at once what is due then, where the clock is the database's.

        Raises:
            Conflict: it is the machine's own clock.
            InvalidValue: the instant has no time zone, or is out of ``clock.RANGE``.
            NotAwaited: a call was not awaited.
        """
        self._transactions.unawaited.require_none()
        if instant.tzinfo is None:
            raise InvalidValue(
                f"{instant.isoformat()} has no time zone.", hint="Give it one: tzinfo=UTC."
            )
        if not RANGE[0] <= instant < RANGE[1]:
            raise _out_of_range(f"{instant.isoformat()} is no time for a clock.")
        self._movable().set(instant)

    @waits("leanbe.clock.advance()")
    async def advance(
        self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> Results[Attempt]:
        """Move the time on, and make every attempt that falls due until then, at its own time.

        What is due already is attempted first. Of a clock that is the database's, attempts that
        workers make on the way are among those that are returned. Ways add up: whoever moves it at
        the same time, in whichever process, moves it by all of theirs, too.

        Returns:
            The attempts, in their order.

        Raises:
            Conflict: it is the machine's own clock, or a transaction is open.
            InvalidValue: the way is not forward, or leads out of ``clock.RANGE``.
            EndlessDeliveries: what falls due has no end.
            WaitTimedOut: another process had something in flight for a minute.
        """
        clock = self._movable()
        way = _way(seconds=seconds, minutes=minutes, hours=hours, days=days)
        if way <= timedelta():
            raise InvalidValue(
                f"The time cannot be moved on by {way}.",
                hint="Name how far, such as an hour. Back it goes only when it is set.",
            )
        return await self._run(clock, way)

    @waits("leanbe.clock.run_until_settled()")
    async def run_until_settled(self) -> Results[Attempt]:
        """Move the time on until nothing is owed any more, and make every attempt on the way.

        Returns:
            The attempts, in their order.

        Raises:
            Conflict: it is the machine's own clock, or a transaction is open.
            EndlessDeliveries: what falls due has no end.
            WaitTimedOut: another process had something in flight for a minute.
        """
        return await self._run(self._movable(), None)

    async def _run(self, clock: MovableClock, way: timedelta | None) -> Results[Attempt]:
        if not isinstance(clock, StoredClock):
            return await self._run_alone(clock, way)
        since = self._shared.watching.beginning()
        await self._run_alone(clock, way)
        told = self._shared.watching.until_now(since)
        return Results(each.attempt for each in told if each.attempt is not None)

    async def _run_alone(self, clock: MovableClock, left: timedelta | None) -> Results[Attempt]:
        """Move the time on by what is left of a way, from stop to stop; without one, to the last.

        Others may move it meanwhile: a step that leads on from where it no longer stands is not
        made, so that each has gone the whole of its way in the end.
        """
        attempts, stop = Results[Attempt](), None
        for _ in range(MOST_TURNS):
            seen = clock.now()
            end = None if left is None else _end(seen, left)
            made = await self._make_due()
            attempts += made
            due = self._next_due()
            if not made and due is not None and stop == due <= seen:
                due = None  # somebody else has it
            if due is None or (end is not None and due > end):
                if end is None or clock.move_on(seen, to=end):
                    return attempts
            elif clock.move_on(seen, to=max(seen, due)):
                stop = due
                left = None if end is None else end - max(seen, due)
        raise EndlessDeliveries(
            f"Something fell due {MOST_TURNS} times, and still does.",
            hint="Does the receiver raise an event for each that it gets?",
        )

    async def _make_due(self) -> Results[Attempt]:
        """Make what is due; of a clock that is shared, until nobody has any of it at hand."""
        attempts = await self._deliver()
        at_hand = self._shared.queue.at_hand
        while isinstance(self._clock, StoredClock) and at_hand():
            await wait_until(
                lambda: not at_hand(),
                timeout_seconds=OTHERS_SECONDS,
                came=lambda: f"others still had {at_hand()} attempts in flight",
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


def _way(**parts: float) -> timedelta:
    """Return how far it is; what is too far for a timedelta is the longest that there is."""
    try:
        return timedelta(**parts)
    except OverflowError:
        return timedelta.max


def _end(seen: datetime, left: timedelta) -> datetime:
    """Return where a way ends.

    Raises:
        InvalidValue: it leads out of ``clock.RANGE``.
    """
    if left >= RANGE[1] - seen:
        raise _out_of_range(f"{seen.isoformat()} cannot be moved on by {left}.")
    return seen + left


def _out_of_range(what: str) -> InvalidValue:
    return InvalidValue(
        what,
        hint=f"A clock is moved within the years {RANGE[0].year} to {RANGE[1].year - 1}, in UTC.",
    )
