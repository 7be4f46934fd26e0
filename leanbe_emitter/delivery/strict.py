"""``ordering = strict`` (contract d-7, c.5): one in flight per product, across all workers.

Of a strict product only the first of what is owed may be taken, and only while nothing of it is in
flight: so a failing delivery holds the ones behind it until it is delivered or exhausted. On
PostgreSQL a lock for the product, held until the claim is committed, lets one claim at a time look;
SQLite has one writer anyway.
"""

from collections.abc import Collection

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from leanbe_emitter.storage.states import DeliveryState

_STRICT = text(
    """
SELECT id FROM products WHERE id IN :ids AND assumptions LIKE '%"ordering": "strict"%'
"""
).bindparams(bindparam("ids", expanding=True))

_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:product, 5326))")

# One statement and one index for each state. Where this is asked, nobody else's is in flight: those
# that are found so are the caller's own, and few.
_FIRST = text(
    """
SELECT id, state, lease_token FROM (
    SELECT * FROM (SELECT id, state, sequence, lease_token FROM deliveries
        WHERE state = 'new' AND product_id = :product ORDER BY sequence, id LIMIT 1) AS a
    UNION ALL
    SELECT * FROM (SELECT id, state, sequence, lease_token FROM deliveries
        WHERE state = 'ready' AND product_id = :product ORDER BY sequence, id LIMIT 1) AS b
    UNION ALL
    SELECT * FROM (SELECT id, state, sequence, lease_token FROM deliveries
        WHERE state = 'suspect' AND product_id = :product ORDER BY sequence, id LIMIT 1) AS c
    UNION ALL
    SELECT * FROM (SELECT id, state, sequence, lease_token FROM deliveries
        WHERE state = 'waiting' AND product_id = :product ORDER BY sequence, id LIMIT 1) AS d
    UNION ALL
    SELECT * FROM (SELECT id, state, sequence, lease_token FROM deliveries
        WHERE state = 'in_flight' AND product_id = :product ORDER BY sequence, id LIMIT 1) AS e
) AS owed ORDER BY sequence, id LIMIT 1
"""
)

# By the index of the leases, which names the product too: it is as small as what is in flight.
_IN_FLIGHT = text(
    """
SELECT 1 FROM deliveries
WHERE state = 'in_flight' AND product_id = :product AND lease_token <> :token
LIMIT 1
"""
)

_TAKE = """
SELECT id FROM deliveries WHERE id IN :ids AND state = '{state}' {lock}
"""


def strict_among(session: Session, product_ids: Collection[str]) -> set[str]:
    """Return which of the products read the article as strict."""
    return set(session.scalars(_STRICT, {"ids": list(product_ids)})) if product_ids else set()


def pick(session: Session, state: DeliveryState, product_ids: Collection[str]) -> list[str]:
    """Return, and lock, the deliveries of this state that strict products may begin now."""
    found = [first_of(session, product) for product in sorted(product_ids)]
    firsts = [each for each in found if each is not None]
    if not firsts:
        return []
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    lock = "FOR UPDATE SKIP LOCKED" if is_postgresql else ""
    statement = text(_TAKE.format(state=state, lock=lock))
    ids = {"ids": firsts}
    return list(session.scalars(statement.bindparams(bindparam("ids", expanding=True)), ids))


def first_of(session: Session, product_id: str, *, token: str = "") -> str | None:
    """Return the first delivery that a product owes; None while another one is in flight.

    Args:
        session: the claim's transaction.
        product_id: a strict product.
        token: what is in flight under this lease is the caller's own.
    """
    if session.get_bind().dialect.name == "postgresql" and not session.scalar(
        _LOCK, {"product": product_id}
    ):
        return None
    if session.execute(_IN_FLIGHT, {"product": product_id, "token": token}).first():
        return None
    first = session.execute(_FIRST, {"product": product_id}).first()
    return None if first is None else str(first.id)
