"""``ordering = strict`` (contract d-7, c.5): one delivery in flight per product, over all workers.

A claim may take only the first pending delivery of a strict product, and only while no other is in
flight. So a failing delivery holds back the next ones until it is delivered or exhausted. On
PostgreSQL a claim locks the product until its commit, so that one claim at a time reads it. SQLite
has one writer anyway.

A foreground call leases the deliveries that it records, and releases those that it may not begin
yet.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue.statements import Statements
from leanbe_emitter.storage.schema.states import DeliveryState

_STRICT = text(
    """
SELECT id FROM products WHERE id IN :ids AND assumptions LIKE '%"ordering": "strict"%'
"""
).bindparams(bindparam("ids", expanding=True))

# The statement scans deliveries in flight once, by the index of leases, whatever the number of
# products. Then it reads an index for each state. Deliveries in flight there are the caller's own.
_FIRSTS = text(
    """
SELECT products.id AS product_id, (
    SELECT id FROM (
        SELECT * FROM (SELECT id, sequence FROM deliveries
            WHERE state = 'new' AND product_id = products.id ORDER BY sequence, id LIMIT 1) AS a
        UNION ALL
        SELECT * FROM (SELECT id, sequence FROM deliveries
            WHERE state = 'ready' AND product_id = products.id ORDER BY sequence, id LIMIT 1) AS b
        UNION ALL
        SELECT * FROM (SELECT id, sequence FROM deliveries
            WHERE state = 'suspect' AND product_id = products.id ORDER BY sequence, id LIMIT 1) AS c
        UNION ALL
        SELECT * FROM (SELECT id, sequence FROM deliveries
            WHERE state = 'waiting' AND product_id = products.id ORDER BY sequence, id LIMIT 1) AS d
        UNION ALL
        SELECT id, sequence FROM deliveries
            WHERE :token <> '' AND state = 'in_flight' AND product_id = products.id
    ) AS owed ORDER BY sequence, id LIMIT 1
) AS first
FROM products
WHERE products.id IN :ids AND products.id NOT IN (
    SELECT product_id FROM deliveries WHERE state = 'in_flight' AND lease_token <> :token
)
"""
).bindparams(bindparam("ids", expanding=True))

_IN_FLIGHT = text(
    """
SELECT product_id, id FROM deliveries WHERE state = 'in_flight' AND product_id IN :ids
"""
).bindparams(bindparam("ids", expanding=True))

_TAKE = """
SELECT id FROM deliveries WHERE id IN :ids AND state = '{state}' {lock}
"""


def strict_among(session: Session, product_ids: Collection[str]) -> set[str]:
    """Return the strict ones among these products."""
    return set(session.scalars(_STRICT, {"ids": list(product_ids)})) if product_ids else set()


def pick(
    session: Session, state: DeliveryState, product_ids: Collection[str], *, statements: Statements
) -> list[str]:
    """Lock and return the deliveries of this state that strict products may begin now."""
    firsts = list(firsts_of(session, product_ids, statements=statements).values())
    if not firsts:
        return []
    statement = text(_TAKE.format(state=state, lock=statements.lock))
    ids = {"ids": firsts}
    return list(session.scalars(statement.bindparams(bindparam("ids", expanding=True)), ids))


def firsts_of(
    session: Session, product_ids: Collection[str], *, statements: Statements, token: str = ""
) -> Mapping[str, str]:
    """Return the first pending delivery of each product, unless another one is in flight.

    Args:
        session: the claim's transaction.
        product_ids: strict products.
        statements: the database's statements, to lock products.
        token: the caller's lease; its deliveries do not count as in flight.
    """
    ours = statements.lock_products(session, sorted(product_ids)) if product_ids else ()
    if not ours:
        return {}
    found = session.execute(_FIRSTS, {"ids": list(ours), "token": token})
    return {row.product_id: row.first for row in found if row.first is not None}


def holders_of(session: Session, product_ids: Collection[str]) -> Mapping[str, str]:
    """Return, for each product, the delivery that holds back its other deliveries.

    That is the delivery in flight, or else the first pending one. Nothing is locked, as this only
    reports what other deliveries wait for.

    Args:
        session: a transaction that may only read.
        product_ids: strict products.
    """
    if not product_ids:
        return {}
    ids = list(product_ids)
    firsts = session.execute(_FIRSTS, {"ids": ids, "token": ""})
    in_flight = session.execute(_IN_FLIGHT, {"ids": ids})
    return {
        **{row.product_id: row.first for row in firsts if row.first is not None},
        **{row.product_id: row.id for row in in_flight},
    }
