"""Read-only questions to the queue: what is due, and what falls due next."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.delivery.queue.statements import (
    CLAIMABLE,
    DUE_STATES,
    NEXT,
    PENDING_COUNTS,
    WORK_TO_DO,
    Statements,
)
from leanbe_emitter.storage.schema.states import DeliveryState


class Instants(NamedTuple):
    """Present instants for deliveries and for leases, in milliseconds since 1970."""

    now: int
    leases_now: int


@dataclass(frozen=True, kw_only=True)
class Due:
    """Counts of pending deliveries: due, due since when (in milliseconds), and in flight."""

    count: int
    oldest_due_at: int | None
    in_flight: int

    def lag_seconds(self, now: datetime) -> float:
        """Return for how long the oldest due delivery has been due, in seconds; 0 without one."""
        if self.oldest_due_at is None:
            return 0.0
        return max(0.0, (now - from_milliseconds(self.oldest_due_at)).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Todo:
    """Work that the queue has.

    Attributes:
        due: the states in which a delivery is due.
        wake: a waiting delivery has become due.
        reap: a lease has run out.
    """

    due: frozenset[DeliveryState]
    wake: bool
    reap: bool

    def __bool__(self) -> bool:
        return bool(self.due) or self.wake or self.reap


NOTHING = Todo(due=frozenset(), wake=False, reap=False)


def todo(session: Session, instants: Instants, *, statements: Statements) -> Todo:
    """Return what there is to claim, to wake and to reap."""
    ((*are_due, wake, reap),) = statements.fetch(session, WORK_TO_DO, instants._asdict())
    due = frozenset(state for state, is_due in zip(DUE_STATES, are_due, strict=True) if is_due)
    return Todo(due=due, wake=bool(wake), reap=bool(reap))


def seconds_until_due(
    session: Session, seconds: float, instants: Instants, *, stands_still: bool
) -> float:
    """Return the seconds until a retry falls due or a lease runs out; at most ``seconds``.

    Args:
        session: an open transaction.
        seconds: the longest time to return.
        instants: the present instants.
        stands_still: the clock of deliveries stands still, so that no retry falls due by itself.
    """
    window = int(seconds * 1000)
    until = {
        "until": instants.now if stands_still else instants.now + window,
        "leases_until": instants.leases_now + window,
    }
    nearest = session.execute(NEXT, until).one()
    left_ms: list[int] = [
        at - now for at, now in zip(nearest, instants, strict=True) if at is not None
    ]
    return min([seconds, *(max(0, each) / 1000 for each in left_ms)])


def count_due(session: Session, *, now: int, statements: Statements) -> Due:
    """Count the deliveries that are due and in flight."""
    rows = statements.fetch(session, PENDING_COUNTS, {"now": now})
    due = [(count, since) for kind, count, since in rows if kind == "due"]
    return Due(
        count=sum(count for count, _ in due),
        oldest_due_at=min((since for _, since in due if since is not None), default=None),
        in_flight=sum(count for kind, count, _ in rows if kind != "due"),
    )


def count_active(session: Session, *, now: int, statements: Statements) -> int:
    """Count deliveries in flight, and those that another transaction is claiming right now.

    Args:
        session: an open transaction.
        now: the present instant in milliseconds since 1970.
        statements: the database's statements.
    """
    claimable = session.execute(text(CLAIMABLE), {"now": now}).all()
    unlocked = session.execute(statements.unlocked, {"now": now}).all()
    return count_due(session, now=now, statements=statements).in_flight + max(
        0, len(claimable) - len(unlocked)
    )


class NextDue(NamedTuple):
    """An instant in milliseconds since 1970, and the number of deliveries that fall due then."""

    at: int
    number: int


# By the partial index of what waits, which has the instants in order.
_NEXT = text("""
SELECT due_at, count(*) FROM deliveries
WHERE state = 'waiting' AND due_at = (
    SELECT min(due_at) FROM deliveries WHERE state = 'waiting' AND due_at > :after)
GROUP BY due_at
""")


def next_due(session: Session, *, after: int) -> NextDue | None:
    """Return the next instant after one at which a waiting delivery falls due; None: there is none.

    Args:
        session: a session in a transaction.
        after: the instant, in milliseconds since 1970.
    """
    row = session.execute(_NEXT, {"after": after}).one_or_none()
    return None if row is None else NextDue(*row)
