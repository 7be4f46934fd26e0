"""The queue's statements for PostgreSQL; they skip rows that another worker has locked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue.row_mapping import ATTEMPT_COLUMNS, attempt_row
from leanbe_emitter.delivery.queue.statements import (
    CLAIMABLE,
    EXPIRED,
    HAS_URL,
    NEEDED,
    RELEASE,
    RENEW,
    SETTLE,
    WAKE,
    WEBHOOKS,
    LeasedRow,
    by_state,
)
from leanbe_emitter.delivery.queue_types import Settlement
from leanbe_emitter.outbox import Lease
from leanbe_emitter.storage.engine.postgresql import (
    IntArray,
    TextArray,
    arrays,
    execute,
    text_for_driver,
    unnest,
)
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.schema.states import DeliveryState, JournalKind

# The ids come as an array, and each event is looked up alone: so the planner can only choose index
# scans, whatever its statistics say.
_LEASE = f"""
WITH d AS (
    UPDATE deliveries SET state = 'in_flight', lease_token = :token, lease_until = :until,
                          attempts_started = attempts_started + 1
    WHERE id = ANY({{ids}})
    RETURNING id, product_id, sequence, event_id, due_at, lease_token, attempts_started,
              attempts_counted, leases_lost
)
SELECT {NEEDED.format(lease="d.lease_token", number="d.attempts_started")}
FROM d CROSS JOIN LATERAL (SELECT * FROM events WHERE id = d.event_id LIMIT 1) AS e
"""  # noqa: S608 - made of constants

_NEXT = """ARRAY(
    SELECT picked.id
    FROM unnest(CAST(:products AS text[]), CAST(:quotas AS int[])) AS wanted (product_id, quota)
    CROSS JOIN LATERAL (
        SELECT id FROM deliveries
        WHERE state = '{state}' AND product_id = wanted.product_id
        ORDER BY sequence, id LIMIT wanted.quota FOR UPDATE SKIP LOCKED
    ) AS picked
)"""
_TAKE_BY_STATE = by_state(_LEASE.format(ids=_NEXT))
_LEASE_THESE = text(_LEASE.format(ids="CAST(:ids AS text[])"))

_LOAD = text(
    f"""
SELECT {NEEDED.format(lease="d.lease_token", number="d.attempts_started")}
FROM deliveries AS d JOIN events AS e ON e.id = d.event_id
WHERE d.id = ANY(CAST(:ids AS text[]))
"""  # noqa: S608 - made of constants
)

_HELD = """jsonb_to_recordset(CAST(:held AS jsonb)) AS held (id text, token text)"""

#: Columns of a settlement, in the order of ``_held``.
_HELD_TYPES = {
    "token": "text",
    "state": "text",
    "due_at": "bigint",
    "counted": "int",
    "leases_lost": "int",
    "id": "text",
    "number": "int",
}
#: Columns of its evidence, in the order of ``ATTEMPT_COLUMNS`` after the attempt's key.
_EVIDENCE_TYPES = {
    "outcome": "text",
    "started_at": "bigint",
    "duration_us": "bigint",
    "url": "text",
    "request_headers": "text",
    "request_body": "text",
    "answer_status": "int",
    "answer_headers": "text",
    "answer_body": "bytea",
    "answer_length": "bigint",
    "error": "text",
    "fault": "text",
    "deviations": "text",
}
_HELD_COLUMNS, _EVIDENCE = ", ".join(_HELD_TYPES), ", ".join(_EVIDENCE_TYPES)

_STATES = {state.value: state for state in DeliveryState}

# The same as ``rows.fact_of``. No value needs escapes, and PostgreSQL takes three times as long to
# build JSON as to concatenate texts.
_ENDS = ", ".join(f"'{state}'" for state in DeliveryState if state.is_end)
_FACT = f"""'["{JournalKind.ATTEMPT}","' || event_id || '","' || id || '",' || number
    || CASE WHEN state IN ({_ENDS}) THEN ',"' || state || '"]' ELSE ']' END"""

# One statement, so that a batch is one round trip. The evidence is wide, and is joined after the
# update, by its position in the batch, because an update copies its columns several times. The ids
# are repeated for the planner: joined to the arrays alone, it would hash all deliveries.
_SETTLE = f"""
WITH held AS (
    SELECT * FROM {unnest(_HELD_TYPES)} WITH ORDINALITY AS held ({_HELD_COLUMNS}, turn)
), settled AS (
    {SETTLE} AND deliveries.id = ANY(%(id)b::text[])
    RETURNING deliveries.id, deliveries.state, deliveries.event_id, held.number, held.turn
), kept AS (
    INSERT INTO attempts ({", ".join(ATTEMPT_COLUMNS)})
    SELECT settled.id, settled.number, {_EVIDENCE}
    FROM {unnest(_EVIDENCE_TYPES)} WITH ORDINALITY AS evidence ({_EVIDENCE}, turn)
    JOIN settled ON settled.turn = evidence.turn
), told AS (
    {journal.write_from("settled", _FACT, order="turn")}
)
SELECT id, state FROM settled
"""  # noqa: S608 - made of constants

# Questions about a locked product need a separate statement after this one: in the same statement,
# PostgreSQL would answer as of before the lock. MATERIALIZED chooses the products before any is
# locked, whatever the planner does.
_LOCK_PRODUCTS = text(
    """
WITH wanted AS MATERIALIZED (SELECT id FROM products WHERE id IN :ids)
SELECT id FROM wanted WHERE pg_try_advisory_xact_lock(hashtextextended(id, 5326))
"""
).bindparams(bindparam("ids", expanding=True))


class Postgresql:
    """``Statements`` of PostgreSQL."""

    waits_to_write = False
    lock = "FOR UPDATE SKIP LOCKED"
    wake = text(WAKE.format(lock=lock))
    unlocked = text(f"{CLAIMABLE} {lock}")
    expired = text(EXPIRED.format(lock="FOR UPDATE OF deliveries SKIP LOCKED"))
    renew = text(RENEW.format(held=_HELD))
    release = text(RELEASE.format(held=_HELD, has_url=HAS_URL))
    webhooks = text(WEBHOOKS.format(products="products") + " WHERE products.id = ANY(:ids)")

    def lock_products(self, session: Session, product_ids: Sequence[str]) -> Sequence[str]:
        """Lock these products for this claim; return those that no other claim has locked."""
        return session.scalars(_LOCK_PRODUCTS, {"ids": product_ids}).all()

    def fetch(
        self, session: Session, statement: TextClause, values: Mapping[str, Any]
    ) -> Sequence[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        connection = session.connection()
        return execute(connection, text_for_driver(statement, connection.dialect), values)

    def ids_parameter(self, ids: Iterable[str]) -> Any:
        """Return these ids as a parameter."""
        return TextArray.of(list(ids))

    def lease_next(
        self, session: Session, state: DeliveryState, quotas: Mapping[str, int], lease: Lease
    ) -> Sequence[LeasedRow]:
        """Lease the next deliveries of each product, up to its quota; return their rows."""
        wanted = {
            "products": self.ids_parameter(quotas),
            "quotas": IntArray.of(list(quotas.values())),
            "token": lease.token,
            "until": lease.until,
        }
        return [LeasedRow._make(row) for row in self.fetch(session, _TAKE_BY_STATE[state], wanted)]

    def lease_these(
        self, session: Session, delivery_ids: Sequence[str], lease: Lease
    ) -> Sequence[LeasedRow]:
        """Lease deliveries that this transaction has locked; return their rows."""
        held = {"ids": self.ids_parameter(delivery_ids), "token": lease.token, "until": lease.until}
        return [LeasedRow._make(row) for row in self.fetch(session, _LEASE_THESE, held)]

    def load(self, session: Session, delivery_ids: Sequence[str]) -> Sequence[LeasedRow]:
        """Return the rows of deliveries that are in flight."""
        rows = self.fetch(session, _LOAD, {"ids": self.ids_parameter(delivery_ids)})
        return [LeasedRow._make(row) for row in rows]

    def settle(
        self, session: Session, settlements: Sequence[Settlement]
    ) -> Mapping[str, DeliveryState]:
        """End leases, write evidence and journal; return the new states of ours."""
        held = arrays(_HELD_TYPES, map(_held, settlements))
        evidence = arrays(_EVIDENCE_TYPES, (attempt_row(each)[2:] for each in settlements))
        return {id_: _STATES[state] for id_, state in execute(session, _SETTLE, held | evidence)}


def _held(settlement: Settlement) -> tuple[Any, ...]:
    return (
        settlement.token,
        settlement.state,
        settlement.due_at,
        int(settlement.counts),
        settlement.leases_lost,
        settlement.delivery_id,
        settlement.number,
    )
