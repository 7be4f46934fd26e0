"""What is due, and what falls due next: what is asked of the queue and changes nothing in it."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue.statements import (
    CLAIMABLE,
    NEXT,
    OWED,
    TODO,
    TODO_STATES,
    Statements,
)
from leanbe_emitter.storage.schema.states import DeliveryState


class Instants(NamedTuple):
    """What time it is, in milliseconds since 1970: for what is due, and for leases."""

    now: int
    leases_now: int


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is owed right now: how many are due, since when (milliseconds), how many in flight."""

    count: int
    oldest_due_at: int | None
    in_flight: int


@dataclass(frozen=True, kw_only=True)
class Todo:
    """What there is to do.

    Attributes:
        due: the states that something is due in.
        wake: something has waited long enough.
        reap: a lease has run out.
    """

    due: frozenset[DeliveryState]
    wake: bool
    reap: bool

    def __bool__(self) -> bool:
        return bool(self.due) or self.wake or self.reap


NOTHING = Todo(due=frozenset(), wake=False, reap=False)


def todo(session: Session, instants: Instants, *, statements: Statements) -> Todo:
    """Say whether there is anything to claim, to wake or to reap."""
    ((*are_due, wake, reap),) = statements.fetch(session, TODO, instants._asdict())
    due = frozenset(state for state, is_due in zip(TODO_STATES, are_due, strict=True) if is_due)
    return Todo(due=due, wake=bool(wake), reap=bool(reap))


def seconds_until_due(
    session: Session, seconds: float, instants: Instants, *, stands_still: bool
) -> float:
    """Say in how many seconds something falls due by itself; so many, if nothing does before.

    Args:
        session: an open transaction.
        seconds: how far to look.
        instants: what time it is.
        stands_still: what is due later is so at a time that does not come by itself, and that is no
            reason to look again.
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
    """Say what is owed right now."""
    rows = statements.fetch(session, OWED, {"now": now})
    due = [(count, since) for kind, count, since in rows if kind == "due"]
    return Due(
        count=sum(count for count, _ in due),
        oldest_due_at=min((since for _, since in due if since is not None), default=None),
        in_flight=sum(count for kind, count, _ in rows if kind != "due"),
    )


def count_active(session: Session, *, now: int, statements: Statements) -> int:
    """Say how many deliveries are in flight, or are being claimed at this very moment.

    Args:
        session: an open transaction.
        now: the present instant in milliseconds since 1970.
        statements: in the database's own words, what could be claimed, less what an open
            transaction is at.
    """
    claimable = session.execute(text(CLAIMABLE), {"now": now}).all()
    not_held = session.execute(statements.unlocked, {"now": now}).all()
    return count_due(session, now=now, statements=statements).in_flight + max(
        0, len(claimable) - len(not_held)
    )
