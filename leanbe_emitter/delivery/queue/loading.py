"""All that attempts need: what was taken, with its products' webhooks as they are after that.

The webhooks are read in a statement of their own, behind the one that took: PostgreSQL would show
them as they were when a claim began that waited for somebody who set one.
"""

from collections.abc import Sequence
from operator import attrgetter

from sqlalchemy.orm import Session

from leanbe_emitter.delivery.claims import Claimed
from leanbe_emitter.delivery.queue.rows import Taken, claimed_of, webhook_of
from leanbe_emitter.delivery.queue.statements import Statements

_IN_ORDER = attrgetter("sequence", "delivery_id")


def complete(session: Session, rows: Sequence[Taken], *, statements: Statements) -> list[Claimed]:
    """Return the deliveries of these rows, a product's in the order of its events."""
    if not rows:
        return []
    products = statements.list_of({row.product_id for row in rows})
    found = statements.fetch(session, statements.webhooks, {"ids": products})
    webhooks = {row[0]: webhook_of(row) for row in found}
    claimed = [claimed_of(row, webhooks[row.product_id]) for row in rows]
    return sorted(claimed, key=_IN_ORDER)
