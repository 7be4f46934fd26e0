"""Writing events, their deliveries and their journal entries in few statements.

On SQLite, one statement inserts many rows of a table. On PostgreSQL, a single statement inserts the
rows of all tables from arrays, so that a hundred events cost the round trips of one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from leanbe_emitter.ids import ids_of_second
from leanbe_emitter.storage.engine.database import CHANNEL
from leanbe_emitter.storage.engine.postgresql import arrays, unnest
from leanbe_emitter.storage.engine.sqlite import batches, execute, insert_rows
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.journal import Fact


@dataclass
class SenderRow:
    """A locked product and the settings of its webhook; JSON as text."""

    id: str
    sequence: int
    last_triggered_at: int
    assumptions: str
    url: str | None
    secret: str | None
    headers: str

    def __repr__(self) -> str:
        # No log and no error shows the secret and the headers.
        return f"{type(self).__name__}(id={self.id!r}, sequence={self.sequence})"


class LockedProducts(NamedTuple):
    """Locked products, and the last ids of a second, of whatever product."""

    senders: list[SenderRow]
    last_event_id: str | None = None
    last_delivery_id: str | None = None


# Rows are plain tuples, in the order of these columns. One statement takes hundreds of them, and
# SQLite's driver is slower with any other type.
EventColumns: TypeAlias = tuple[str, str, int, str, int, int, str, str, str, str, str]
_EVENT_COLUMNS = {
    "id": "text",
    "product_id": "text",
    "sequence": "bigint",
    "name": "text",
    "triggered_at": "bigint",
    "recorded_at": "bigint",
    "method": "text",
    "headers": "text",
    "body": "text",
    "deviations": "text",
    "overrides": "text",
}
DeliveryColumns: TypeAlias = tuple[str, str, int, str, str, int, str | None, int | None, int, int]
_DELIVERY_COLUMNS = {
    "id": "text",
    "product_id": "text",
    "sequence": "bigint",
    "event_id": "text",
    "state": "text",
    "due_at": "bigint",
    "lease_token": "text",
    "lease_until": "bigint",
    "attempts_started": "int",
    "created_at": "bigint",
}
#: A product's counters of events, and its id.
ProductColumns: TypeAlias = tuple[int, int, str]
_PRODUCT_COLUMNS = {"sequence": "bigint", "last_triggered_at": "bigint", "product_id": "text"}


@dataclass(frozen=True, kw_only=True)
class Emission:
    """The rows of one call.

    Attributes:
        notifies_workers: whether a delivery among them is due and not leased.
    """

    counters: list[ProductColumns]
    events: list[EventColumns]
    deliveries: list[DeliveryColumns]
    facts: list[Fact]
    notifies_workers: bool


def lock(connection: Connection, product_ids: Collection[str], *, second: int) -> LockedProducts:
    """Lock products in the order of their ids, and return those that exist, with their webhooks.

    Args:
        connection: the connection of the caller's transaction.
        product_ids: the ids of the products.
        second: the second, since 1970, whose last ids to return.
    """
    lock = _DIALECTS[connection.dialect.name].lock
    return lock(connection, sorted(product_ids), ids_of_second(second))


def write(connection: Connection, emission: Emission) -> None:
    """Write events with their deliveries and journal entries."""
    _DIALECTS[connection.dialect.name].write(connection, emission)


_DELIVERY = f"""
INSERT INTO deliveries ({", ".join(_DELIVERY_COLUMNS)}, attempts_counted, leases_lost)
"""
_EVENT = f"INSERT INTO events ({', '.join(_EVENT_COLUMNS)})"


# The last ids of a range, each by the index of the primary key.
_LAST_IDS = """
(SELECT max(id) FROM events WHERE id BETWEEN {first} AND {last}),
(SELECT max(id) FROM deliveries WHERE id BETWEEN {first} AND {last})
"""


class _Sqlite:
    """SQLite has one writer at a time: nothing needs a lock."""

    _SENDERS = f"""
SELECT products.id, sequence, last_triggered_at, assumptions, url, secret, headers,
       {_LAST_IDS.format(first="?", last="?")}
FROM products JOIN webhooks ON webhooks.product_id = products.id
WHERE products.id IN ({{places}})
ORDER BY products.id
"""  # noqa: S608 - made of constants of this module
    _COUNTER = "UPDATE products SET sequence = ?, last_triggered_at = ? WHERE id = ?"
    _COUNTERS = """
UPDATE products SET sequence = moved.column1, last_triggered_at = moved.column2
FROM (VALUES {rows}) AS moved WHERE id = moved.column3
"""
    _ONE_EVENT = f"({', '.join('?' * len(_EVENT_COLUMNS))})"
    _ONE_DELIVERY = f"({', '.join('?' * len(_DELIVERY_COLUMNS))}, 0, 0)"

    @classmethod
    def lock(
        cls, connection: Connection, product_ids: Sequence[str], id_range: tuple[str, str]
    ) -> LockedProducts:
        statement = cls._SENDERS.format(places=", ".join("?" * len(product_ids)))
        rows = execute(connection, statement, (*id_range, *id_range, *product_ids))
        return LockedProducts(
            [SenderRow(*row[:-2]) for row in rows], *(rows[0][-2:] if rows else ())
        )

    @classmethod
    def write(cls, connection: Connection, emission: Emission) -> None:
        if len(emission.counters) == 1:
            # SQLite takes as long for a VALUES list of one row as for fifteen of these.
            execute(connection, cls._COUNTER, emission.counters[0])
        else:
            cls._write_counters(connection, emission.counters)
        insert_rows(connection, _EVENT, cls._ONE_EVENT, emission.events)
        insert_rows(connection, _DELIVERY, cls._ONE_DELIVERY, emission.deliveries)
        journal.write(connection, emission.facts)

    @classmethod
    def _write_counters(cls, connection: Connection, counters: Sequence[ProductColumns]) -> None:
        for some in batches(counters):
            statement = cls._COUNTERS.format(rows=", ".join(["(?, ?, ?)"] * len(some)))
            execute(connection, statement, tuple(chain.from_iterable(some)))


class _Postgresql:
    """PostgreSQL has many writers: the product's row is the lock."""

    _PRODUCTS = """
SELECT id, sequence, last_triggered_at, assumptions FROM products
WHERE id = ANY(%s::text[]) ORDER BY products.id FOR NO KEY UPDATE
"""
    _WEBHOOKS = f"""
SELECT product_id, url, secret, headers, {_LAST_IDS.format(first="%(first)s", last="%(last)s")}
FROM webhooks WHERE product_id = ANY(%(ids)s)
"""  # noqa: S608 - made of constants of this module
    _WRITE = f"""
WITH moved AS (
    UPDATE products SET sequence = "to".sequence, last_triggered_at = "to".at
    FROM {unnest(_PRODUCT_COLUMNS, prefix="c_")} AS "to" (sequence, at, id)
    WHERE products.id = "to".id
), told AS (
    INSERT INTO journal (transaction_id, entries)
    SELECT pg_current_xact_id()::text::bigint, told.entries
    FROM unnest(%(entries)b::text[]) AS told (entries)
), happened AS (
    {_EVENT}
    SELECT * FROM {unnest(_EVENT_COLUMNS, prefix="e_")}
), owed AS (
    {_DELIVERY}
    SELECT *, 0, 0 FROM {unnest(_DELIVERY_COLUMNS, prefix="d_")}
)
SELECT pg_notify('{CHANNEL}', '') WHERE %(notifies_workers)s
"""  # noqa: S608 - the names of columns

    @classmethod
    def lock(
        cls, connection: Connection, product_ids: Sequence[str], id_range: tuple[str, str]
    ) -> LockedProducts:
        products = connection.exec_driver_sql(cls._PRODUCTS, (list(product_ids),)).all()
        # A second statement, which begins when the lock is held. A join in the first one would read
        # the settings and the last ids of the moment when the waiting began.
        first, last = id_range
        wanted = {"ids": product_ids, "first": first, "last": last}
        rows = connection.exec_driver_sql(cls._WEBHOOKS, wanted).all()
        webhooks = {row[0]: row[1:-2] for row in rows}
        senders = [SenderRow(*product, *webhooks[product[0]]) for product in products]
        return LockedProducts(senders, *(rows[0][-2:] if rows else ()))

    @classmethod
    def write(cls, connection: Connection, emission: Emission) -> None:
        connection.exec_driver_sql(
            cls._WRITE,
            {
                **arrays(_PRODUCT_COLUMNS, emission.counters, prefix="c_"),
                **arrays(_EVENT_COLUMNS, emission.events, prefix="e_"),
                **arrays(_DELIVERY_COLUMNS, emission.deliveries, prefix="d_"),
                "notifies_workers": emission.notifies_workers,
                "entries": [journal.entries_of(emission.facts)] if emission.facts else [],
            },
        )


_DIALECTS: Mapping[str, type[_Sqlite | _Postgresql]] = {
    "sqlite": _Sqlite,
    "postgresql": _Postgresql,
}
