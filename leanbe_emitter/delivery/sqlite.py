"""The queue's statements as SQLite reads them; one writer at a time needs no row locks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.claims import Settlement
from leanbe_emitter.delivery.rows import ATTEMPT_COLUMNS, NEEDED, Taken, attempt_row, fact_of
from leanbe_emitter.delivery.statements import (
    CLAIMABLE,
    EXPIRED,
    HAND_BACK,
    HAS_URL,
    RENEW,
    SETTLE,
    WAKE,
    WEBHOOKS,
    by_state,
)
from leanbe_emitter.outbox import Lease
from leanbe_emitter.storage import journal
from leanbe_emitter.storage.driver import execute
from leanbe_emitter.storage.states import DeliveryState
from leanbe_emitter.storage.values import insert

# SQLite knows no LATERAL, and a LIMIT cannot be correlated: one statement for each quota.
_NEXT = f"""
SELECT {NEEDED.format(lease=":token", number="d.attempts_started + 1")}
FROM json_each(:products) AS wanted
CROSS JOIN deliveries AS d ON d.rowid IN (
    SELECT rowid FROM deliveries
    WHERE state = '{{state}}' AND product_id = wanted.value
    ORDER BY sequence, id LIMIT :quota
)
JOIN events AS e ON e.id = d.event_id
"""  # noqa: S608 - made of this module's own words
_NEXT_BY_STATE = by_state(_NEXT)

_LEASE = text(
    """
UPDATE deliveries SET state = 'in_flight', lease_token = :token, lease_until = :until,
                      attempts_started = attempts_started + 1
WHERE id IN (SELECT value FROM json_each(:ids))
"""
)

_LOAD = text(
    f"""
SELECT {NEEDED.format(lease="d.lease_token", number="d.attempts_started")}
FROM json_each(:ids) AS wanted CROSS JOIN deliveries AS d ON d.id = wanted.value
JOIN events AS e ON e.id = d.event_id
"""  # noqa: S608 - made of this module's own words
)

_HELD = """(
    SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.token') AS token
    FROM json_each(:held)
) AS held"""

_SETTLE = text(
    f"""
WITH held AS MATERIALIZED (
    SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS token,
           json_extract(value, '$[2]') AS state, json_extract(value, '$[3]') AS due_at,
           json_extract(value, '$[4]') AS counted, json_extract(value, '$[5]') AS leases_lost
    FROM json_each(:held)
) {SETTLE} RETURNING id, state
"""  # noqa: S608 - made of this module's own words
)

_KEEP = f"INSERT INTO attempts ({', '.join(ATTEMPT_COLUMNS)})"
_ONE_ATTEMPT = f"({', '.join('?' * len(ATTEMPT_COLUMNS))})"
#: How many attempts one statement writes.
_ATTEMPTS = 1000


class Sqlite:
    """What SQLite is told."""

    lock = ""
    wake = text(WAKE.format(lock=lock))
    free = text(CLAIMABLE)
    expired = text(EXPIRED.format(lock=lock))
    renew = text(RENEW.format(held=_HELD))
    hand_back = text(HAND_BACK.format(held=_HELD, has_url=HAS_URL))
    webhooks = text(
        WEBHOOKS.format(
            products="json_each(:ids) AS wanted CROSS JOIN products ON products.id = wanted.value"
        )
    )

    def alone_at(self, session: Session, product_ids: Sequence[str]) -> Sequence[str]:  # noqa: ARG002 - for others
        """Return all of them: there is one writer anyway."""
        return product_ids

    def fetch(
        self, session: Session, statement: TextClause, values: Mapping[str, Any]
    ) -> Sequence[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        return execute(session, statement.text, values)

    def list_of(self, ids: Iterable[str]) -> Any:
        """Return the parameter that stands for these ids."""
        return json.dumps(list(ids))

    def take(
        self, session: Session, state: DeliveryState, quotas: Mapping[str, int], lease: Lease
    ) -> Sequence[Taken]:
        """Lease the next deliveries of each product, up to its quota; return what is needed."""
        by_quota = sorted(quotas, key=lambda product: quotas[product])
        rows = [
            Taken._make(row)
            for quota, products in groupby(by_quota, key=lambda product: quotas[product])
            for row in self.fetch(
                session,
                _NEXT_BY_STATE[state],
                {"products": self.list_of(products), "quota": quota, "token": lease.token},
            )
        ]
        self._lease(session, [row.id for row in rows], lease)
        return rows

    def take_these(
        self, session: Session, delivery_ids: Sequence[str], lease: Lease
    ) -> Sequence[Taken]:
        """Lease these deliveries; return what is needed."""
        self._lease(session, delivery_ids, lease)
        return self.load(session, delivery_ids)

    def load(self, session: Session, delivery_ids: Sequence[str]) -> Sequence[Taken]:
        """Return what an attempt needs of deliveries that are in flight."""
        rows = self.fetch(session, _LOAD, {"ids": self.list_of(delivery_ids)})
        return [Taken._make(row) for row in rows]

    def settle(
        self, session: Session, settlements: Sequence[Settlement]
    ) -> Mapping[str, DeliveryState]:
        """End leases, write the evidence, and tell the journal; return the states of ours."""
        held = json.dumps([_held(each) for each in settlements])
        rows = session.execute(_SETTLE, {"held": held}).all()
        states = {row.id: DeliveryState(row.state) for row in rows}
        ours = [each for each in settlements if each.delivery_id in states]
        facts = [fact_of(each, states[each.delivery_id]) for each in ours]
        connection = session.connection()
        journal.write(connection, facts)
        kept = [attempt_row(each) for each in ours]
        insert(connection, _KEEP, _ONE_ATTEMPT, kept, at_once=_ATTEMPTS)
        return states

    def _lease(self, session: Session, delivery_ids: Sequence[str], lease: Lease) -> None:
        held = {"ids": self.list_of(delivery_ids), "token": lease.token, "until": lease.until}
        session.execute(_LEASE, held)


def _held(settlement: Settlement) -> tuple[object, ...]:
    return (
        settlement.delivery_id,
        settlement.token,
        settlement.state,
        settlement.due_at,
        int(settlement.counts),
        settlement.leases_lost,
    )
