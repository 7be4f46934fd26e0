"""The first notice of a command that begins to deliver."""

from datetime import UTC, datetime, timedelta

import pytest

from leanbe_emitter.cli.invocation.invocation import backlog_text
from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.delivery.queue.due_queries import Due

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SINCE = to_milliseconds(NOW - timedelta(seconds=90))
AGAIN = "(due again when the lease ends, if their worker is gone)"


@pytest.mark.parametrize(
    ("due", "told"),
    [
        (Due(count=0, oldest_due_at=None, in_flight=0), "Nothing is due."),
        (Due(count=2, oldest_due_at=SINCE, in_flight=0), "2 due, the oldest for 90s."),
        (Due(count=0, oldest_due_at=None, in_flight=4), f"Nothing is due; 4 in flight {AGAIN}."),
        (
            Due(count=1, oldest_due_at=SINCE + 200_000, in_flight=1),
            f"1 due, the oldest for 0s; 1 in flight {AGAIN}.",
        ),
    ],
)
def test_it_says_how_much_is_due_how_old_and_what_may_come_back(due: Due, told: str) -> None:
    assert backlog_text(due, now=NOW) == told
