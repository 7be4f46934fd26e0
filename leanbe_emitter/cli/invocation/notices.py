"""Notices on stderr that several commands share: the backlog, and events without a delivery."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.wire.durations import format_duration

if TYPE_CHECKING:
    from leanbe_emitter.delivery.queue.due_queries import Due


def backlog_text(due: "Due", *, now: datetime) -> str:
    """Return a sentence about the backlog: how many deliveries are due, and for how long."""
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
    return f"; {due.in_flight} in flight (due again when the lease ends, if their worker is gone)"


def notice_events_without_delivery(invocation: Invocation, events: Iterable[str]) -> None:
    """Name the recorded events that have no delivery, if there are any."""
    names = list(dict.fromkeys(events))
    if names:
        invocation.notice(
            f"Recorded without a delivery: {', '.join(names)}. The product has no webhook URL "
            '(webhook set), or its assumption "events" excludes them.'
        )
