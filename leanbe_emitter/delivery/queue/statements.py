"""The queue's SQL statements, as text.

A partial index serves only a statement that names its state as a literal, so these do. Statements
that differ between SQLite and PostgreSQL stand in ``sqlite`` and ``postgresql``, and nowhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue_types import Settlement
from leanbe_emitter.outbox import Lease
from leanbe_emitter.storage.schema.states import DUE, DeliveryState

#: Columns that an attempt needs of a delivery ``d`` and its event ``e``, in the order of
#: ``LeasedRow``.
NEEDED = """
    d.id, d.product_id, d.sequence, {lease}, {number}, d.attempts_counted, d.due_at, d.event_id,
    e.name, e.triggered_at, e.method, e.headers, e.body, e.deviations, e.overrides, d.leases_lost"""


class LeasedRow(NamedTuple):
    """A row of ``NEEDED``; its first columns are the first fields of ``Claimed``."""

    id: str
    product_id: str
    sequence: int
    token: str
    number: int
    attempts_counted: int
    due_at: int
    event_id: str
    event_name: str
    triggered_at: int
    method: str
    headers: str
    body: str
    deviations: str
    overrides: str
    leases_lost: int


class ExpiredRow(NamedTuple):
    """A row of ``EXPIRED``: a delivery whose lease ran out, and what its attempt had."""

    id: str
    event_id: str
    lease_token: str
    lease_until: int
    due_at: int
    attempts_started: int
    leases_lost: int
    url: str | None
    deviations: str


class Statements(Protocol):
    """Statements that differ between the databases."""

    #: Whether the beginning of a writing transaction waits for other writers.
    waits_to_write: bool
    #: End of a SELECT that locks its rows and skips rows locked by others.
    lock: str
    wake: TextClause
    #: Claimable deliveries that no open transaction has locked.
    unlocked: TextClause
    expired: TextClause
    renew: TextClause
    release: TextClause
    #: Its parameter ``ids`` are products, as ``ids_parameter`` returns them.
    webhooks: TextClause

    def lock_products(self, session: Session, product_ids: Sequence[str]) -> Sequence[str]:
        """Lock these products for this claim until the end of the transaction.

        Returns:
            The products that no other claim has locked.
        """
        ...

    def fetch(
        self, session: Session, statement: TextClause, values: Mapping[str, Any]
    ) -> Sequence[tuple[Any, ...]]:
        """Run a statement, one of these or one for both databases; return its rows."""
        ...

    def ids_parameter(self, ids: Iterable[str]) -> Any:
        """Return these ids as a parameter."""
        ...

    def lease_next(
        self, session: Session, state: DeliveryState, quotas: Mapping[str, int], lease: Lease
    ) -> Sequence[LeasedRow]:
        """Lease the next deliveries of each product, up to its quota; return their rows."""
        ...

    def lease_these(
        self, session: Session, delivery_ids: Sequence[str], lease: Lease
    ) -> Sequence[LeasedRow]:
        """Lease deliveries that this transaction has locked; return their rows."""
        ...

    def load(self, session: Session, delivery_ids: Sequence[str]) -> Sequence[LeasedRow]:
        """Return the rows of deliveries that are in flight."""
        ...

    def settle(
        self, session: Session, settlements: Sequence[Settlement]
    ) -> Mapping[str, DeliveryState]:
        """End leases, write evidence and journal; return the new states of what was ours.

        A settlement whose token is not the delivery's changes nothing.
        """
        ...


#: Webhooks and assumptions of products, and whether there are faults. This statement runs after
#: the claim, so that it sees every fault that was armed before a delivery was recorded. It is not a
#: separate statement, so that it costs nothing without faults.
WEBHOOKS = """
SELECT products.id, assumptions, url, secret, ca_file, insecure,
       EXISTS (SELECT 1 FROM faults WHERE fired < times)
       OR EXISTS (SELECT 1 FROM taken_faults) AS has_faults
FROM {products} JOIN webhooks ON webhooks.product_id = products.id
"""

LEASE_ONE = text(
    """
UPDATE deliveries SET state = 'in_flight', lease_token = :token, lease_until = :until,
                      attempts_started = attempts_started + 1
WHERE id = :id
  AND (state IN ('new', 'ready', 'suspect') OR (state = 'waiting' AND due_at <= :now))
RETURNING id
"""
)

#: States of the first columns of ``TODO``.
DUE_STATES = (DeliveryState.NEW, DeliveryState.READY, DeliveryState.SUSPECT)
#: Work of the queue; the first row of an index answers each column. Each is a minimum: for an
#: EXISTS that most rows satisfy, PostgreSQL would scan the table.
WORK_TO_DO = text(
    """
SELECT (SELECT min(product_id) FROM deliveries WHERE state = 'new') IS NOT NULL AS new,
       (SELECT min(product_id) FROM deliveries WHERE state = 'ready') IS NOT NULL AS ready,
       (SELECT min(product_id) FROM deliveries WHERE state = 'suspect') IS NOT NULL AS suspect,
       (SELECT min(due_at) FROM deliveries
        WHERE state = 'waiting' AND due_at <= :now) IS NOT NULL AS wake,
       (SELECT min(lease_until) FROM deliveries
        WHERE state = 'in_flight' AND lease_until <= :leases_now) IS NOT NULL AS reap
"""
)

#: When the next delivery falls due or lease runs out, up to an instant. Without that limit, it
#: would walk through dead index entries of later leases.
NEXT = text(
    """
SELECT (SELECT min(due_at) FROM deliveries WHERE state = 'waiting' AND due_at <= :until),
       (SELECT min(lease_until) FROM deliveries
        WHERE state = 'in_flight' AND lease_until <= :leases_until)
"""
)

#: Counts of due and in-flight deliveries, and the oldest due instant of each.
PENDING_COUNTS = text(
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

# Products with due deliveries, in a circle from the turn. It skips from product to product in the
# partial index, so that a product with 50 000 due deliveries costs as much as a product with one.
_CANDIDATES = """
WITH RECURSIVE behind (product_id, n) AS (
    SELECT (SELECT min(product_id) FROM deliveries
            WHERE state = '{state}' AND product_id > :turn), 1
    UNION ALL
    SELECT (SELECT min(product_id) FROM deliveries
            WHERE state = '{state}' AND product_id > behind.product_id), n + 1
    FROM behind WHERE behind.product_id IS NOT NULL AND n < :limit
), before (product_id, n) AS (
    SELECT (SELECT min(product_id) FROM deliveries WHERE state = '{state}'),
           (SELECT count(product_id) FROM behind) + 1
    UNION ALL
    SELECT (SELECT min(product_id) FROM deliveries
            WHERE state = '{state}' AND product_id > before.product_id), n + 1
    FROM before WHERE before.product_id < :turn AND n < :limit
)
SELECT n, product_id, assumptions LIKE '%"ordering": "strict"%' AS is_strict
FROM (SELECT * FROM behind UNION ALL SELECT * FROM before WHERE product_id <= :turn) AS found
JOIN products ON products.id = found.product_id
WHERE n <= :limit
"""


def by_state(statement: str) -> Mapping[DeliveryState, TextClause]:
    """Return a statement for each claimable state, with the state as a literal."""
    return {state: text(statement.format(state=state)) for state in DUE}


CANDIDATES = by_state(_CANDIDATES)

CLAIMABLE = """
SELECT id FROM deliveries
WHERE state = 'new' OR state = 'ready' OR state = 'suspect'
   OR (state = 'waiting' AND due_at <= :now)
"""

EXPIRED = """
SELECT deliveries.id, event_id, lease_token, lease_until, due_at,
       attempts_started, leases_lost, webhooks.url, events.deviations
FROM deliveries JOIN events ON events.id = deliveries.event_id
LEFT JOIN webhooks ON webhooks.product_id = deliveries.product_id
WHERE state = 'in_flight' AND lease_until <= :now
ORDER BY lease_until LIMIT :limit {lock}
"""

WAKE = """
UPDATE deliveries SET state = 'ready'
WHERE id IN (
    SELECT id FROM deliveries WHERE state = 'waiting' AND due_at <= :now
    ORDER BY due_at LIMIT :limit {lock}
)
RETURNING id
"""

# The rest end or extend leases. Each row names a delivery and its lease token; deliveries with
# another token do not change.

RENEW = """
UPDATE deliveries SET lease_until = :until
FROM {held} WHERE deliveries.id = held.id AND deliveries.lease_token = held.token
"""

# A delivery that would be pending again is cancelled if its webhook has no URL any more.
HAS_URL = """EXISTS (
    SELECT 1 FROM webhooks
    WHERE webhooks.product_id = deliveries.product_id AND webhooks.url IS NOT NULL
)"""

RELEASE = """
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

#: Change of a delivery by its settlement; ``held`` are the settlements.
SETTLE = f"""
UPDATE deliveries SET
    state = CASE
        WHEN held.state IN ('ready', 'suspect', 'waiting') AND NOT {HAS_URL} THEN 'cancelled'
        ELSE held.state END,
    due_at = held.due_at,
    lease_token = NULL,
    lease_until = NULL,
    attempts_counted = attempts_counted + held.counted,
    leases_lost = held.leases_lost
FROM held WHERE deliveries.id = held.id AND deliveries.lease_token = held.token
"""  # noqa: S608 - made of constants
