"""The queue's statements, as text: what an index must serve is written as that index has it.

A partial index serves only a statement that names its state as a literal. What differs between
SQLite and PostgreSQL stands in the two classes at the end, and nowhere else.
"""

import json
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from leanbe_emitter.storage.states import DeliveryState
from leanbe_emitter.storage.tables import DeliveryRow, EventRow, ProductRow, WebhookRow


def scalars(session: Session, statement: TextClause, **parameters: Any) -> list[Any]:
    """Return the first column of every row."""
    return list(session.execute(statement, parameters).scalars())


#: Takes what was picked; the token is the proof of who took it.
LEASE = text(
    """
UPDATE deliveries SET state = 'in_flight', lease_token = :token, lease_until = :until,
                      attempts_started = attempts_started + 1
WHERE id IN :ids
RETURNING id, product_id
"""
).bindparams(bindparam("ids", expanding=True))

LEASE_ONE = text(
    """
UPDATE deliveries SET state = 'in_flight', lease_token = :token, lease_until = :until,
                      attempts_started = attempts_started + 1
WHERE id = :id
  AND (state IN ('new', 'ready', 'suspect') OR (state = 'waiting' AND due_at <= :now))
RETURNING id
"""
)

#: All that an attempt needs of a delivery and its event.
LOAD = select(
    DeliveryRow.id,
    DeliveryRow.product_id,
    DeliveryRow.sequence,
    DeliveryRow.lease_token,
    DeliveryRow.attempts_started,
    DeliveryRow.attempts_counted,
    DeliveryRow.leases_lost,
    DeliveryRow.due_at,
    DeliveryRow.event_id,
    EventRow.name,
    EventRow.triggered_at,
    EventRow.method,
    EventRow.headers,
    EventRow.body,
    EventRow.deviations,
    EventRow.overrides,
).join(EventRow, EventRow.id == DeliveryRow.event_id)

#: The present webhooks of products.
WEBHOOKS = select(
    ProductRow.id,
    ProductRow.assumptions,
    WebhookRow.url,
    WebhookRow.secret,
    WebhookRow.ca_file,
    WebhookRow.insecure,
).outerjoin(WebhookRow, WebhookRow.product_id == ProductRow.id)

#: What there is to do, each answered by the first row of an index.
TODO = text(
    """
SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'new')
    OR EXISTS (SELECT 1 FROM deliveries WHERE state = 'ready')
    OR EXISTS (SELECT 1 FROM deliveries WHERE state = 'suspect') AS claim,
       EXISTS (SELECT 1 FROM deliveries WHERE state = 'waiting' AND due_at <= :now) AS wake,
       EXISTS (SELECT 1 FROM deliveries WHERE state = 'in_flight' AND lease_until <= :now) AS reap
"""
)

#: How many are due or in flight, and since when.
OWED = text(
    """
SELECT 'due' AS kind, count(*) AS n, min(due_at) AS since FROM deliveries WHERE state = 'new'
UNION ALL
SELECT 'due', count(*), min(due_at) FROM deliveries WHERE state = 'ready'
UNION ALL
SELECT 'due', count(*), min(due_at) FROM deliveries WHERE state = 'suspect'
UNION ALL
SELECT 'due', count(*), min(due_at) FROM deliveries WHERE state = 'waiting' AND due_at <= :now
UNION ALL
SELECT 'in flight', count(*), min(due_at) FROM deliveries WHERE state = 'in_flight'
"""
)

# The products that something is due for: from one to the next in the partial index, so that a
# product with 50 000 due costs what a product with one does.
CANDIDATES = """
WITH RECURSIVE found (product_id, n) AS (
    SELECT (SELECT min(product_id) FROM deliveries
            WHERE state = '{state}' AND product_id > :after), 1
    UNION ALL
    SELECT (SELECT min(product_id) FROM deliveries
            WHERE state = '{state}' AND product_id > found.product_id), n + 1
    FROM found WHERE found.product_id IS NOT NULL AND n < :limit
)
SELECT product_id FROM found WHERE product_id IS NOT NULL
"""

_PICK_POSTGRESQL = """
SELECT picked.id
FROM unnest(CAST(:products AS text[]), CAST(:quotas AS int[])) AS wanted (product_id, quota)
CROSS JOIN LATERAL (
    SELECT id FROM deliveries
    WHERE state = '{state}' AND product_id = wanted.product_id
    ORDER BY sequence, id LIMIT wanted.quota FOR UPDATE SKIP LOCKED
) AS picked
"""

# SQLite knows no LATERAL, and a LIMIT cannot be correlated: one statement for each quota.
_PICK_SQLITE = """
SELECT picked.id
FROM json_each(:products) AS wanted
CROSS JOIN deliveries AS picked ON picked.id IN (
    SELECT id FROM deliveries
    WHERE state = '{state}' AND product_id = wanted.value
    ORDER BY sequence, id LIMIT :quota
)
"""

_EXPIRED = """
SELECT deliveries.id, deliveries.product_id, event_id, lease_token, lease_until, due_at,
       attempts_started, leases_lost, webhooks.url
FROM deliveries LEFT JOIN webhooks ON webhooks.product_id = deliveries.product_id
WHERE state = 'in_flight' AND lease_until <= :now
ORDER BY lease_until LIMIT :limit {lock}
"""

_WAKE = """
UPDATE deliveries SET state = 'ready'
WHERE id IN (
    SELECT id FROM deliveries WHERE state = 'waiting' AND due_at <= :now
    ORDER BY due_at LIMIT :limit {lock}
)
RETURNING id
"""

# The rest are transitions out of a lease: each row names the delivery and the token that it was
# claimed with, and what is held with another token is not touched.

_RENEW = """
UPDATE deliveries SET lease_until = :until
FROM {held} WHERE deliveries.id = held.id AND deliveries.lease_token = held.token
"""

# What is owed again after its webhook was cleared is owed no more.
_HAS_URL = """EXISTS (
    SELECT 1 FROM webhooks
    WHERE webhooks.product_id = deliveries.product_id AND webhooks.url IS NOT NULL
)"""

_HAND_BACK = """
UPDATE deliveries SET
    state = CASE
        WHEN NOT {has_url} THEN 'cancelled'
        WHEN deliveries.leases_lost > 0 THEN 'suspect'
        WHEN attempts_started > 1 THEN 'ready'
        ELSE 'new' END,
    lease_token = NULL,
    lease_until = NULL,
    attempts_started = attempts_started - 1
FROM {held} WHERE deliveries.id = held.id AND deliveries.lease_token = held.token
RETURNING deliveries.id, deliveries.state
"""

_SETTLE = """
UPDATE deliveries SET
    state = CASE
        WHEN held.state IN ('ready', 'suspect', 'waiting') AND NOT {has_url} THEN 'cancelled'
        ELSE held.state END,
    due_at = held.due_at,
    lease_token = NULL,
    lease_until = NULL,
    attempts_counted = attempts_counted + held.counted,
    leases_lost = held.leases_lost
FROM {held} WHERE deliveries.id = held.id AND deliveries.lease_token = held.token
RETURNING deliveries.id, deliveries.state
"""

_HELD_SQLITE = """(
    SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.token') AS token,
           json_extract(value, '$.state') AS state, json_extract(value, '$.due_at') AS due_at,
           json_extract(value, '$.counted') AS counted,
           json_extract(value, '$.leases_lost') AS leases_lost
    FROM json_each(:held)
) AS held"""
_HELD_POSTGRESQL = """jsonb_to_recordset(CAST(:held AS jsonb)) AS held
    (id text, token text, state text, due_at bigint, counted int, leases_lost int)"""


class Sqlite:
    """The statements as SQLite reads them; one writer at a time needs no row locks."""

    wake = text(_WAKE.format(lock=""))
    expired = text(_EXPIRED.format(lock=""))
    renew = text(_RENEW.format(held=_HELD_SQLITE))
    hand_back = text(_HAND_BACK.format(held=_HELD_SQLITE, has_url=_HAS_URL))
    settle = text(_SETTLE.format(held=_HELD_SQLITE, has_url=_HAS_URL))

    @staticmethod
    def pick(session: Session, state: DeliveryState, quotas: Mapping[str, int]) -> list[str]:
        """Return the ids of the next deliveries of each product, up to its quota."""
        statement = text(_PICK_SQLITE.format(state=state))
        by_quota = sorted(quotas, key=lambda product: quotas[product])
        return [
            delivery_id
            for quota, products in groupby(by_quota, key=lambda product: quotas[product])
            for delivery_id in scalars(
                session, statement, products=json.dumps(list(products)), quota=quota
            )
        ]


class Postgresql:
    """The statements as PostgreSQL reads them; what another worker holds is passed over."""

    wake = text(_WAKE.format(lock="FOR UPDATE SKIP LOCKED"))
    expired = text(_EXPIRED.format(lock="FOR UPDATE OF deliveries SKIP LOCKED"))
    renew = text(_RENEW.format(held=_HELD_POSTGRESQL))
    hand_back = text(_HAND_BACK.format(held=_HELD_POSTGRESQL, has_url=_HAS_URL))
    settle = text(_SETTLE.format(held=_HELD_POSTGRESQL, has_url=_HAS_URL))

    @staticmethod
    def pick(session: Session, state: DeliveryState, quotas: Mapping[str, int]) -> list[str]:
        """Lock the next deliveries of each product, up to its quota, and return their ids."""
        statement = text(_PICK_POSTGRESQL.format(state=state))
        products, shares = list(quotas.keys()), list(quotas.values())
        return scalars(session, statement, products=products, quotas=shares)


STATEMENTS: Mapping[str, type[Sqlite | Postgresql]] = {"sqlite": Sqlite, "postgresql": Postgresql}
