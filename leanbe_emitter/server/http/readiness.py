"""How late the queue is, as health checks and the stream say it."""

from datetime import datetime

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.delivery.queue.due_queries import Due


def lag_seconds(due: Due, *, now: datetime) -> float:
    """Return for how long the oldest due delivery has been due, in seconds; 0 without one."""
    if due.oldest_due_at is None:
        return 0.0
    return max(0.0, (now - from_milliseconds(due.oldest_due_at)).total_seconds())
