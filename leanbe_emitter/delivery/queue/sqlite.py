"""The queue's statements for SQLite; with one writer at a time, they need no row locks."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue.row_mapping import ATTEMPT_COLUMNS, attempt_row, fact_of
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
from leanbe_emitter.storage.engine.sqlite import batches, execute
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.schema.states import DeliveryState

# SQLite has no LATERAL, and no correlated LIMIT: so there is one statement for each quota.
_NEXT = f"""
SELECT {NEEDED.format(lease=":token", number="d.attempts_started + 1")}, d.rowid
FROM json_each(:products) AS wanted
CROSS JOIN deliveries AS d ON d.rowid IN (
    SELECT rowid FROM deliveries
    WHERE state = '{{state}}' AND product_id = wanted.value
    ORDER BY sequence, id LIMIT :quota
)
JOIN events AS e ON e.id = d.event_id
"""  # noqa: S608 - made of constants
_NEXT_BY_STATE = by_state(_NEXT)

_LEASE = """
UPDATE deliveries SET state = 'in_flight', lease_token = ?, lease_until = ?,
                      attempts_started = attempts_started + 1
WHERE {key} IN ({places})
"""

_LOAD = text(
    f"""
SELECT {NEEDED.format(lease="d.lease_token", number="d.attempts_started")}
FROM json_each(:ids) AS wanted CROSS JOIN deliveries AS d ON d.id = wanted.value
JOIN events AS e ON e.id = d.event_id
"""  # noqa: S608 - made of constants
)

_HELD = """(
    SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.token') AS token
    FROM json_each(:held)
) AS held"""

_SETTLE = f"""
WITH held (id, token, state, due_at, counted, leases_lost) AS (VALUES {{places}})
{SETTLE} RETURNING id, state
"""
_ONE_HELD = "(?, ?, ?, ?, ?, ?)"

_KEEP = f"INSERT INTO attempts ({', '.join(ATTEMPT_COLUMNS)}) VALUES {{places}}"  # noqa: S608 - made of constants
_ONE_ATTEMPT = f"({', '.join('?' * len(ATTEMPT_COLUMNS))})"


_STATES = {state.value: state for state in DeliveryState}


class Sqlite:
    """``Statements`` of SQLite."""

    waits_to_write = True
    lock = ""
    wake = text(WAKE.format(lock=lock))
    unlocked = text(CLAIMABLE)
    expired = text(EXPIRED.format(lock=lock))
    renew = text(RENEW.format(held=_HELD))
    release = text(RELEASE.format(held=_HELD, has_url=HAS_URL))
    webhooks = text(
        WEBHOOKS.format(
            products="json_each(:ids) AS wanted CROSS JOIN products ON products.id = wanted.value"
        )
    )

    def lock_products(self, session: Session, product_ids: Sequence[str]) -> Sequence[str]:  # noqa: ARG002 - part of the protocol
        """Return all of them: SQLite has one writer anyway."""
        return product_ids

    def fetch(
        self, session: Session, statement: TextClause, values: Mapping[str, Any]
    ) -> Sequence[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        return execute(session, statement.text, values)

    def ids_parameter(self, ids: Iterable[str]) -> Any:
        """Return these ids as a parameter."""
        return json.dumps(list(ids))

    def lease_next(
        self, session: Session, state: DeliveryState, quotas: Mapping[str, int], lease: Lease
    ) -> Sequence[LeasedRow]:
        """Lease the next deliveries of each product, up to its quota; return their rows."""
        by_quota: dict[int, list[str]] = defaultdict(list)
        for product, quota in quotas.items():
            by_quota[quota].append(product)
        rows: list[tuple[Any, ...]] = []
        for quota, products in sorted(by_quota.items()):
            values = {"products": json.dumps(products), "quota": quota, "token": lease.token}
            rows += execute(session, _NEXT_BY_STATE[state].text, values)
        _lease(session, "rowid", [row[-1] for row in rows], lease)
        return [LeasedRow._make(row[:-1]) for row in rows]

    def lease_these(
        self, session: Session, delivery_ids: Sequence[str], lease: Lease
    ) -> Sequence[LeasedRow]:
        """Lease these deliveries; return their rows."""
        _lease(session, "id", delivery_ids, lease)
        return self.load(session, delivery_ids)

    def load(self, session: Session, delivery_ids: Sequence[str]) -> Sequence[LeasedRow]:
        """Return the rows of deliveries that are in flight."""
        rows = self.fetch(session, _LOAD, {"ids": self.ids_parameter(delivery_ids)})
        return [LeasedRow._make(row) for row in rows]

    def settle(
        self, session: Session, settlements: Sequence[Settlement]
    ) -> Mapping[str, DeliveryState]:
        """End leases, write evidence and journal; return the new states of ours."""
        connection = session.connection()
        ended = _with_rows(connection, _SETTLE, _ONE_HELD, list(map(_held, settlements)))
        states = {delivery_id: _STATES[state] for delivery_id, state in ended}
        ours = [each for each in settlements if each.delivery_id in states]
        journal.write(connection, [fact_of(each, states[each.delivery_id]) for each in ours])
        _with_rows(connection, _KEEP, _ONE_ATTEMPT, list(map(attempt_row, ours)))
        return states


def _lease(session: Session, key: str, held: Sequence[Any], lease: Lease) -> None:
    connection = session.connection()
    for some in batches(held):
        statement = _text(_LEASE, "?", len(some), key)
        execute(connection, statement, (lease.token, lease.until, *some))


def _with_rows(
    connection: Connection, statement: str, row: str, rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Run a statement with rows as its VALUES; return all rows that it returns."""
    returned = []
    for some in batches(rows):
        values = tuple(chain.from_iterable(some))
        returned += execute(connection, _text(statement, row, len(some)), values)
    return returned


@cache
def _text(statement: str, place: str, count: int, key: str = "") -> str:
    """Return a statement with so many placeholders."""
    return statement.format(places=", ".join([place] * count), key=key)


def _held(settlement: Settlement) -> tuple[object, ...]:
    return (
        settlement.delivery_id,
        settlement.token,
        settlement.state,
        settlement.due_at,
        int(settlement.counts),
        settlement.leases_lost,
    )
