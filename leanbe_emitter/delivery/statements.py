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
WHERE id = :id AND (state IN ('new', 'ready') OR (state = 'waiting' AND due_at <= :now))
RETURNING id
"""
)

#: Gives back what was taken and need not be attempted.
CANCEL = text(
    """
UPDATE deliveries SET state = 'cancelled', lease_token = NULL, lease_until = NULL,
                      attempts_started = attempts_started - 1
WHERE id = :id AND lease_token = :token
RETURNING id
"""
)

RENEW = text(
    """
UPDATE deliveries SET lease_until = :until WHERE state = 'in_flight' AND lease_token IN :tokens
"""
).bindparams(bindparam("tokens", expanding=True))

#: All that an attempt needs of a delivery and its event.
LOAD = select(
    DeliveryRow.id,
    DeliveryRow.product_id,
    DeliveryRow.sequence,
    DeliveryRow.lease_token,
    DeliveryRow.attempts_started,
    DeliveryRow.attempts_counted,
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

IS_DUE = text(
    """
SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'new')
    OR EXISTS (SELECT 1 FROM deliveries WHERE state = 'ready')
    OR EXISTS (SELECT 1 FROM deliveries WHERE state = 'waiting' AND due_at <= :now)
    OR EXISTS (SELECT 1 FROM deliveries WHERE state = 'in_flight' AND lease_until <= :now)
"""
)

#: How many are due or in flight, and since when.
OWED = text(
    """
SELECT 'due' AS kind, count(*) AS n, min(due_at) AS since FROM deliveries WHERE state = 'new'
UNION ALL
SELECT 'due', count(*), min(due_at) FROM deliveries WHERE state = 'ready'
UNION ALL
SELECT 'due', count(*), min(due_at) FROM deliveries WHERE state = 'waiting' AND due_at <= :now
UNION ALL
SELECT 'in flight', count(*), min(due_at) FROM deliveries WHERE state = 'in_flight'
"""
)

#: When something falls due, or a lease ends.
NEXT = text(
    """
SELECT min(at) FROM (
    SELECT min(due_at) AS at FROM deliveries WHERE state = 'waiting'
    UNION ALL
    SELECT min(lease_until) FROM deliveries WHERE state = 'in_flight'
) AS times
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
ORDER BY lease_until LIMIT :limit
"""

_WAKE = """
UPDATE deliveries SET state = 'ready'
WHERE id IN (
    SELECT id FROM deliveries WHERE state = 'waiting' AND due_at <= :now
    ORDER BY due_at LIMIT :limit {lock}
)
RETURNING id
"""

# A delivery that would wait is cancelled instead where the webhook was cleared meanwhile.
_SETTLE = """
UPDATE deliveries SET
    state = CASE
        WHEN settled.state = 'waiting' AND NOT EXISTS (
            SELECT 1 FROM webhooks
            WHERE webhooks.product_id = deliveries.product_id AND webhooks.url IS NOT NULL
        ) THEN 'cancelled' ELSE settled.state END,
    due_at = settled.due_at,
    lease_token = NULL,
    lease_until = NULL,
    attempts_counted = attempts_counted + settled.counted,
    leases_lost = settled.leases_lost
FROM {settled} AS settled{columns}
WHERE deliveries.id = settled.id AND deliveries.lease_token = settled.token
RETURNING deliveries.id, deliveries.state
"""

_SETTLED_SQLITE = """(
    SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.token') AS token,
           json_extract(value, '$.state') AS state, json_extract(value, '$.due_at') AS due_at,
           json_extract(value, '$.counted') AS counted,
           json_extract(value, '$.leases_lost') AS leases_lost
    FROM json_each(:rows)
)"""
_SETTLED_POSTGRESQL = "jsonb_to_recordset(CAST(:rows AS jsonb))"
_SETTLED_COLUMNS = " (id text, token text, state text, due_at bigint, counted int, leases_lost int)"


class Sqlite:
    """The statements as SQLite reads them; one writer at a time needs no row locks."""

    wake = _WAKE.format(lock="")
    expired = _EXPIRED
    settle = _SETTLE.format(settled=_SETTLED_SQLITE, columns="")

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

    wake = _WAKE.format(lock="FOR UPDATE SKIP LOCKED")
    expired = _EXPIRED + " FOR UPDATE OF deliveries SKIP LOCKED"
    settle = _SETTLE.format(settled=_SETTLED_POSTGRESQL, columns=_SETTLED_COLUMNS)

    @staticmethod
    def pick(session: Session, state: DeliveryState, quotas: Mapping[str, int]) -> list[str]:
        """Lock the next deliveries of each product, up to its quota, and return their ids."""
        statement = text(_PICK_POSTGRESQL.format(state=state))
        products, shares = list(quotas.keys()), list(quotas.values())
        return scalars(session, statement, products=products, quotas=shares)


STATEMENTS: Mapping[str, type[Sqlite | Postgresql]] = {"sqlite": Sqlite, "postgresql": Postgresql}
