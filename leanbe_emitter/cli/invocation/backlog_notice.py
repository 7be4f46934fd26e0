"""What whoever begins to deliver says first: how much is due, and how old it is."""

from datetime import datetime
from typing import TYPE_CHECKING

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.wire.durations import format_duration

if TYPE_CHECKING:
    from leanbe_emitter.delivery.queue.due import Due


def told_due(due: "Due", *, now: datetime) -> str:
    """Return it in a sentence, as it is at a present instant."""
    return f"{_due(due, now)}{_in_flight(due)}."


def _due(due: "Due", now: datetime) -> str:
    if due.count == 0 or due.oldest_due_at is None:
        return "Nothing is due"
    age = now - from_milliseconds(due.oldest_due_at)
    whole_seconds = max(0, int(age.total_seconds()))
    return f"{due.count} due, the oldest for {format_duration(whole_seconds)}"


def _in_flight(due: "Due") -> str:
    if due.in_flight == 0:
        return ""
    return f"; {due.in_flight} in flight, due again when their lease ends if who has them is gone"
