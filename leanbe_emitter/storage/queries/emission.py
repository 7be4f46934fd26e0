"""How events, their deliveries and their journal entries are written: in few statements.

SQLite takes many rows of a table from one; PostgreSQL takes all from a single one whose parameters
are arrays, so that a hundred events cost the round trips of one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection

from leanbe_emitter.storage.engine.notify import CHANNEL
from leanbe_emitter.storage.engine.sqlite_driver import execute, pieces
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.arrays import arrays, unnest
from leanbe_emitter.storage.queries.journal import Fact
from leanbe_emitter.storage.queries.last_ids import ids_of
from leanbe_emitter.storage.queries.values import insert


class SenderRow(NamedTuple):
    """A product, locked, and its webhook's settings; JSON as text."""

    id: str
    sequence: int
    last_triggered_at: int
    assumptions: str
    url: str | None
    secret: str | None
    headers: str

    def __repr__(self) -> str:
        # Secret and headers are told to nobody.
        return f"{type(self).__name__}(id={self.id!r}, sequence={self.sequence})"


class Locked(NamedTuple):
    """Products, locked, and the last ids of a second that there are of any product's."""

    senders: list[SenderRow]
    last_event_id: str | None = None
    last_delivery_id: str | None = None


# Rows are plain tuples, in the order of these columns: hundreds are made for one statement, and at
# anything else the driver of SQLite looks for longer.
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
#: How far a product has come with its events: the counters, and its id.
ProductColumns: TypeAlias = tuple[int, int, str]
_PRODUCT_COLUMNS = {"sequence": "bigint", "last_triggered_at": "bigint", "product_id": "text"}


@dataclass(frozen=True, kw_only=True)
class Emission:
    """What is written in one go.

    Attributes:
        tells_workers: whether something of it is due and nobody's yet.
    """

    counters: list[ProductColumns] = field(default_factory=list)
    events: list[EventColumns] = field(default_factory=list)
    deliveries: list[DeliveryColumns] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    tells_workers: bool = False


def lock(connection: Connection, product_ids: Collection[str], *, second: int) -> Locked:
    """Lock products in the order of their ids; return those that are there, with their webhooks.

    Args:
        connection: the caller's transaction.
        product_ids: of the products.
        second: whose last ids are wanted, in seconds since 1970.
    """
    lock = _DIALECTS[connection.dialect.name].lock
    return lock(connection, sorted(product_ids), ids_of(second))


def write(connection: Connection, emission: Emission) -> None:
    """Write events with all that belongs to them."""
    _DIALECTS[connection.dialect.name].write(connection, emission)


_DELIVERY = f"""
INSERT INTO deliveries ({", ".join(_DELIVERY_COLUMNS)}, attempts_counted, leases_lost)
"""
_EVENT = f"INSERT INTO events ({', '.join(_EVENT_COLUMNS)})"


# The last ids in a stretch of them, each by the primary key's index.
_LAST_IDS = """
(SELECT max(id) FROM events WHERE id BETWEEN {first} AND {last}),
(SELECT max(id) FROM deliveries WHERE id BETWEEN {first} AND {last})
"""

#: How many rows one statement of SQLite writes.
_AT_ONCE = 2000


class _Sqlite:
    """One writer at a time: nothing needs a lock."""

    _SENDERS = f"""
SELECT products.id, sequence, last_triggered_at, assumptions, url, secret, headers,
       {_LAST_IDS.format(first="?", last="?")}
FROM products JOIN webhooks ON webhooks.product_id = products.id
WHERE products.id IN ({{places}})
ORDER BY products.id
"""  # noqa: S608 - made of this module's own words
    _COUNTER = "UPDATE products SET sequence = ?, last_triggered_at = ? WHERE id = ?"
    _COUNTERS = """
UPDATE products SET sequence = moved.column1, last_triggered_at = moved.column2
FROM (VALUES {rows}) AS moved WHERE id = moved.column3
"""
    _ONE_EVENT = f"({', '.join('?' * len(_EVENT_COLUMNS))})"
    _ONE_DELIVERY = f"({', '.join('?' * len(_DELIVERY_COLUMNS))}, 0, 0)"

    @classmethod
    def lock(
        cls, connection: Connection, product_ids: Sequence[str], ids_of_second: tuple[str, str]
    ) -> Locked:
        statement = cls._SENDERS.format(places=", ".join("?" * len(product_ids)))
        rows = execute(connection, statement, (*ids_of_second, *ids_of_second, *product_ids))
        return Locked([SenderRow(*row[:-2]) for row in rows], *(rows[0][-2:] if rows else ()))

    @classmethod
    def write(cls, connection: Connection, emission: Emission) -> None:
        cls._move(connection, emission.counters)
        insert(connection, _EVENT, cls._ONE_EVENT, emission.events, at_once=_AT_ONCE)
        insert(connection, _DELIVERY, cls._ONE_DELIVERY, emission.deliveries, at_once=_AT_ONCE)
        journal.write(connection, emission.facts)

    @classmethod
    def _move(cls, connection: Connection, counters: Sequence[ProductColumns]) -> None:
        if len(counters) == 1:
            # A list of one takes SQLite as long as fifteen of these.
            execute(connection, cls._COUNTER, counters[0])
            return
        for some in pieces(counters):
            statement = cls._COUNTERS.format(rows=", ".join(["(?, ?, ?)"] * len(some)))
            execute(connection, statement, tuple(chain.from_iterable(some)))


class _Postgresql:
    """Many writers: the product's row is the lock."""

    _PRODUCTS = """
SELECT id, sequence, last_triggered_at, assumptions FROM products
WHERE id = ANY(%s::text[]) ORDER BY products.id FOR NO KEY UPDATE
"""
    _WEBHOOKS = f"""
SELECT product_id, url, secret, headers, {_LAST_IDS.format(first="%(first)s", last="%(last)s")}
FROM webhooks WHERE product_id = ANY(%(ids)s)
"""  # noqa: S608 - made of this module's own words
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
SELECT pg_notify('{CHANNEL}', '') WHERE %(tells_workers)s
"""  # noqa: S608 - the names of columns

    @classmethod
    def lock(
        cls, connection: Connection, product_ids: Sequence[str], ids_of_second: tuple[str, str]
    ) -> Locked:
        products = connection.exec_driver_sql(cls._PRODUCTS, (list(product_ids),)).all()
        # A statement of its own, begun when the lock is held: PostgreSQL would join the settings
        # and the last ids as they were when the waiting began.
        first, last = ids_of_second
        wanted = {"ids": product_ids, "first": first, "last": last}
        rows = connection.exec_driver_sql(cls._WEBHOOKS, wanted).all()
        webhooks = {row[0]: row[1:-2] for row in rows}
        senders = [SenderRow(*product, *webhooks[product[0]]) for product in products]
        return Locked(senders, *(rows[0][-2:] if rows else ()))

    @classmethod
    def write(cls, connection: Connection, emission: Emission) -> None:
        connection.exec_driver_sql(
            cls._WRITE,
            {
                **arrays(_PRODUCT_COLUMNS, emission.counters, prefix="c_"),
                **arrays(_EVENT_COLUMNS, emission.events, prefix="e_"),
                **arrays(_DELIVERY_COLUMNS, emission.deliveries, prefix="d_"),
                "tells_workers": emission.tells_workers,
                "entries": [journal.entries_of(emission.facts)] if emission.facts else [],
            },
        )


_DIALECTS: Mapping[str, type[_Sqlite | _Postgresql]] = {
    "sqlite": _Sqlite,
    "postgresql": _Postgresql,
}
