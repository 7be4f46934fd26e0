"""How events, their deliveries and their journal entries are written: in few statements.

SQLite takes them from one prepared statement a table; PostgreSQL in a single statement whose
parameters are arrays, so that a hundred events cost the round trips of one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection

from leanbe_emitter.storage import journal
from leanbe_emitter.storage.journal import Fact
from leanbe_emitter.storage.telling import CHANNEL


class SenderRow(NamedTuple):
    """A product, locked, and its webhook's settings; JSON as text."""

    id: str
    sequence: int
    last_triggered_at: int
    assumptions: str
    url: str | None
    secret: str | None
    headers: str


# Rows are plain tuples, in the order of these columns: hundreds are made for one statement, and at
# anything else the driver of SQLite looks for longer.
EventColumns: TypeAlias = tuple[str, str, int, str, int, int, str, str, str, str, str]
_EVENT_COLUMNS = (
    "id",
    "product_id",
    "sequence",
    "name",
    "triggered_at",
    "recorded_at",
    "method",
    "headers",
    "body",
    "deviations",
    "overrides",
)
DeliveryColumns: TypeAlias = tuple[str, str, int, str, str, int, str | None, int | None, int, int]
_DELIVERY_COLUMNS = (
    "id",
    "product_id",
    "sequence",
    "event_id",
    "state",
    "due_at",
    "lease_token",
    "lease_until",
    "attempts_started",
    "created_at",
)
#: How far a product has come with its events: the counters, and its id.
Counters: TypeAlias = tuple[int, int, str]
_COUNTER_COLUMNS = ("sequence", "last_triggered_at", "product_id")


@dataclass(frozen=True, kw_only=True)
class Emission:
    """What is written in one go.

    Attributes:
        tells_workers: whether something of it is due and nobody's yet.
    """

    counters: list[Counters] = field(default_factory=list)
    events: list[EventColumns] = field(default_factory=list)
    deliveries: list[DeliveryColumns] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    tells_workers: bool = False


def lock(connection: Connection, product_ids: Collection[str]) -> list[SenderRow]:
    """Lock products in the order of their ids; return those that are there, with their webhooks."""
    return _DIALECTS[connection.dialect.name].lock(connection, sorted(product_ids))


def write(connection: Connection, emission: Emission) -> None:
    """Write events with all that belongs to them."""
    _DIALECTS[connection.dialect.name].write(connection, emission)


_DELIVERY = f"""
INSERT INTO deliveries ({", ".join(_DELIVERY_COLUMNS)}, attempts_counted, leases_lost)
"""
_EVENT = f"INSERT INTO events ({', '.join(_EVENT_COLUMNS)})"


class _Sqlite:
    """One writer at a time: nothing needs a lock."""

    _SENDERS = """
SELECT products.id, sequence, last_triggered_at, assumptions, url, secret, headers
FROM products JOIN webhooks ON webhooks.product_id = products.id
WHERE products.id IN ({places})
ORDER BY products.id
"""
    _COUNTERS = "UPDATE products SET sequence = ?, last_triggered_at = ? WHERE id = ?"
    _EVENTS = f"{_EVENT} VALUES ({', '.join('?' * len(_EVENT_COLUMNS))})"
    _DELIVERIES = f"{_DELIVERY} VALUES ({', '.join('?' * len(_DELIVERY_COLUMNS))}, 0, 0)"

    @classmethod
    def lock(cls, connection: Connection, product_ids: Sequence[str]) -> list[SenderRow]:
        statement = cls._SENDERS.format(places=", ".join("?" * len(product_ids)))
        rows = connection.exec_driver_sql(statement, tuple(product_ids))
        return [SenderRow(*row) for row in rows]

    @classmethod
    def write(cls, connection: Connection, emission: Emission) -> None:
        for statement, rows in (
            (cls._COUNTERS, emission.counters),
            (cls._EVENTS, emission.events),
            (cls._DELIVERIES, emission.deliveries),
        ):
            if rows:
                connection.exec_driver_sql(statement, rows)
        journal.write(connection, emission.facts)


class _Postgresql:
    """Many writers: the product's row is the lock."""

    _PRODUCTS = """
SELECT id, sequence, last_triggered_at, assumptions FROM products
WHERE id = ANY(%s::text[]) ORDER BY products.id FOR NO KEY UPDATE
"""
    _WEBHOOKS = "SELECT product_id, url, secret, headers FROM webhooks WHERE product_id = ANY(%s)"
    # Arrays in binary: as text, every quote of every body would be written twice and read twice.
    _WRITE = f"""
WITH moved AS (
    UPDATE products SET sequence = "to".sequence, last_triggered_at = "to".at
    FROM unnest(%(c_product_id)b::text[], %(c_sequence)b::bigint[],
                %(c_last_triggered_at)b::bigint[]) AS "to" (id, sequence, at)
    WHERE products.id = "to".id
), told AS (
    INSERT INTO journal (transaction_id, entries)
    SELECT pg_current_xact_id()::text::bigint, told.entries
    FROM unnest(%(entries)b::text[]) AS told (entries)
), happened AS (
    {_EVENT}
    SELECT * FROM unnest(
        %(e_id)b::text[], %(e_product_id)b::text[], %(e_sequence)b::bigint[], %(e_name)b::text[],
        %(e_triggered_at)b::bigint[], %(e_recorded_at)b::bigint[], %(e_method)b::text[],
        %(e_headers)b::text[], %(e_body)b::text[], %(e_deviations)b::text[],
        %(e_overrides)b::text[]
    )
), owed AS (
    {_DELIVERY}
    SELECT *, 0, 0 FROM unnest(
        %(d_id)b::text[], %(d_product_id)b::text[], %(d_sequence)b::bigint[],
        %(d_event_id)b::text[], %(d_state)b::text[], %(d_due_at)b::bigint[],
        %(d_lease_token)b::text[], %(d_lease_until)b::bigint[], %(d_attempts_started)b::int[],
        %(d_created_at)b::bigint[]
    )
)
SELECT pg_notify('{CHANNEL}', '') WHERE %(tells_workers)s
"""  # noqa: S608 - the names of columns

    @classmethod
    def lock(cls, connection: Connection, product_ids: Sequence[str]) -> list[SenderRow]:
        products = connection.exec_driver_sql(cls._PRODUCTS, (list(product_ids),)).all()
        # A statement of its own, begun when the lock is held: PostgreSQL would join the settings
        # as they were when the waiting began.
        webhooks = {
            row[0]: row[1:] for row in connection.exec_driver_sql(cls._WEBHOOKS, (product_ids,))
        }
        return [SenderRow(*product, *webhooks[product[0]]) for product in products]

    @classmethod
    def write(cls, connection: Connection, emission: Emission) -> None:
        connection.exec_driver_sql(
            cls._WRITE,
            {
                **_arrays("c", _COUNTER_COLUMNS, emission.counters),
                **_arrays("e", _EVENT_COLUMNS, emission.events),
                **_arrays("d", _DELIVERY_COLUMNS, emission.deliveries),
                "tells_workers": emission.tells_workers,
                "entries": [journal.entries_of(emission.facts)] if emission.facts else [],
            },
        )


def _arrays(
    prefix: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> Mapping[str, list[Any]]:
    """Return the columns of rows, each as one parameter."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {f"{prefix}_{name}": list(column) for name, column in zip(names, columns, strict=True)}


_DIALECTS: Mapping[str, type[_Sqlite | _Postgresql]] = {
    "sqlite": _Sqlite,
    "postgresql": _Postgresql,
}
