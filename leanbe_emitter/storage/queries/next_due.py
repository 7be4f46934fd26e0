"""The next instant at which a delivery falls due by itself."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session


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
