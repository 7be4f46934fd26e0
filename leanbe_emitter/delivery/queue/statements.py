"""The queue's statements, as text: what an index must serve is written as that index has it.

A partial index serves only a statement that names its state as a literal. What SQLite and
PostgreSQL say in different words stands in ``sqlite`` and ``postgresql``, and nowhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.claims import Settlement
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
    """A row of ``EXPIRED``: a delivery whose lease ran out, and the URL of its attempt."""

    id: str
    event_id: str
    lease_token: str
    lease_until: int
    due_at: int
    attempts_started: int
    leases_lost: int
    url: str | None


class Statements(Protocol):
    """What each database says in its own words."""

    #: Whether to begin a transaction that writes is to wait for others that do.
    waits_to_write: bool
    #: What a SELECT ends in that locks its rows, and passes over those that others have locked.
    lock: str
    wake: TextClause
    #: What could be claimed, less what somebody's open transaction is at.
    unlocked: TextClause
    expired: TextClause
    renew: TextClause
    release: TextClause
    #: Takes ``ids`` of products, in a form of the database's own: see ``ids_parameter``.
    webhooks: TextClause

    def lock_products(self, session: Session, product_ids: Sequence[str]) -> Sequence[str]:
        """Be the only claim that looks at these products, until the transaction's end.

        Returns:
            Those of them that no other claim is at.
        """
        ...

    def fetch(
        self, session: Session, statement: TextClause, values: Mapping[str, Any]
    ) -> Sequence[tuple[Any, ...]]:
        """Run a statement that both databases read alike, or one of these; return its rows."""
        ...

    def ids_parameter(self, ids: Iterable[str]) -> Any:
        """Return the parameter that stands for these ids."""
        ...

    def lease_next(
        self, session: Session, state: DeliveryState, quotas: Mapping[str, int], lease: Lease
    ) -> Sequence[LeasedRow]:
        """Lease the next deliveries of each product, up to its quota; return what is needed."""
        ...

    def lease_these(
        self, session: Session, delivery_ids: Sequence[str], lease: Lease
    ) -> Sequence[LeasedRow]:
        """Lease deliveries that this transaction has locked; return what is needed."""
        ...

    def load(self, session: Session, delivery_ids: Sequence[str]) -> Sequence[LeasedRow]:
        """Return what an attempt needs of deliveries that are in flight."""
        ...

    def settle(
        self, session: Session, settlements: Sequence[Settlement]
    ) -> Mapping[str, DeliveryState]:
        """End leases, write the evidence, and tell the journal; return the states of what was ours.

        A settlement whose token is not the delivery's changes nothing.
        """
        ...


#: The present webhooks of products, how the products read the article, and whether there are
#: faults. That is asked here: behind the claim, so that none is missed that was armed before a
#: delivery was recorded; and in no statement of its own, so that it costs nothing without faults.
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

#: The states that ``TODO`` asks about first.
TODO_STATES = (DeliveryState.NEW, DeliveryState.READY, DeliveryState.SUSPECT)
#: What there is to do, each answered by the first row of an index: by a minimum, because of an
#: EXISTS that most rows would answer PostgreSQL believes that it is found soonest in the table.
TODO = text(
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

#: When something falls due, or a lease runs out, without anybody's doing; up to an instant: dead
#: entries of leases that end later would be walked through otherwise.
NEXT = text(
    """
SELECT (SELECT min(due_at) FROM deliveries WHERE state = 'waiting' AND due_at <= :until),
       (SELECT min(lease_until) FROM deliveries
        WHERE state = 'in_flight' AND lease_until <= :leases_until)
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

# The products that something is due for, from the turn round to the turn again: from one to the
# next in the partial index, so that a product with 50 000 due costs what a product with one does.
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
    """Return a statement for each state that can be claimed, which it names as a literal."""
    return {state: text(statement.format(state=state)) for state in DUE}


CANDIDATES = by_state(_CANDIDATES)

CLAIMABLE = """
SELECT id FROM deliveries
WHERE state = 'new' OR state = 'ready' OR state = 'suspect'
   OR (state = 'waiting' AND due_at <= :now)
"""

EXPIRED = """
SELECT deliveries.id, event_id, lease_token, lease_until, due_at,
       attempts_started, leases_lost, webhooks.url
FROM deliveries LEFT JOIN webhooks ON webhooks.product_id = deliveries.product_id
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

# The rest are transitions out of a lease: each row names the delivery and the token that it was
# claimed with, and what is held with another token is not touched.

RENEW = """
UPDATE deliveries SET lease_until = :until
FROM {held} WHERE deliveries.id = held.id AND deliveries.lease_token = held.token
"""

# What is owed again after its webhook was cleared is owed no more.
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

#: How a settlement changes its delivery; ``held`` is what is settled.
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
"""  # noqa: S608 - made of this file's own words
