"""A process that records events: so many in a transaction, as an action of the domain does.

Or, for comparison, one that inserts the finished rows of another database with the driver alone.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import text

from benchmarks.filling import happened
from benchmarks.processes import measured, options, say, wait_for_word
from leanbe_emitter.clock import SystemClock
from leanbe_emitter.ids import Ids
from leanbe_emitter.outbox import record
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.tables import Base

_TABLES = ("events", "deliveries", "journal")


def _record(*, db: str, events: int, together: int, spread: bool) -> None:
    """Record; in one transaction the events of one product, or of all of them by turns."""
    database, ids = Database(db), Ids()
    products = _products(database)
    turn = 1 if spread else together
    new = [happened(products[n // turn % len(products)], n) for n in range(events)]
    say(ready=True)
    wait_for_word()
    with measured() as result:
        for first in range(0, events, together):
            with database.transaction() as session:
                record(session, new[first : first + together], now=SystemClock().now(), ids=ids)
    say(**result)
    database.close()


def _insert(*, db: str, recorded: str, together: int) -> None:
    """Insert the rows that stand in the database ``recorded``, as they stand there."""
    batches = list(_batches(recorded, together))
    database = Database(db)
    connection = database.engine.raw_connection()
    cursor = connection.cursor()
    say(ready=True)
    wait_for_word()
    with measured() as result:
        for batch in batches:
            if database.dialect == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            for statement, rows in batch:
                cursor.executemany(statement, rows)
            connection.commit()
    say(**result)
    database.close()


Statement = tuple[str, Sequence[Any]]


def _batches(recorded: str, together: int) -> Iterator[list[Statement]]:
    """Yield what one transaction inserts: a statement and its rows for each table."""
    database = Database(recorded)
    mark = "?" if database.dialect == "sqlite" else "%s"
    with database.engine.connect() as connection:
        tables = [
            (
                f"INSERT INTO {table} VALUES ({', '.join([mark] * len(_columns(table)))})",  # noqa: S608 - words of our own
                [tuple(row) for row in connection.execute(text(_reading(table)))],
            )
            for table in _TABLES
        ]
    database.close()
    for first in range(0, len(tables[0][1]), together):
        yield [(statement, rows[first : first + together]) for statement, rows in tables]


def _reading(table: str) -> str:
    # Events and their deliveries in one order: a delivery never comes before its event.
    order = "position" if table == "journal" else "product_id, sequence"
    return f"SELECT {', '.join(_columns(table))} FROM {table} ORDER BY {order}"  # noqa: S608 - words of our own


def _columns(table: str) -> list[str]:
    return [each.name for each in Base.metadata.tables[table].columns]


def _products(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(text("SELECT id FROM products ORDER BY id")))


if __name__ == "__main__":
    given = options()
    (_insert if "recorded" in given else _record)(**given)
