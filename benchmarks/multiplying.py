"""A million rows from a few: the database copies them itself, quicker than anybody records them.

Each copy of an event has an id and a sequence number of its own, and all that belongs to it: its
delivery in the same state, its attempts, its journal entries.
"""

import sqlite3

import psycopg
from sqlalchemy import make_url

from leanbe_emitter.storage.schema.tables import Base

_SERIES = {
    "sqlite": "WITH RECURSIVE series (n) AS"
    " (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {times})",
    "postgresql": "WITH series (n) AS (SELECT generate_series(1, {times}))",
}
#: The part of an ObjectId that is its maker's own becomes the number of the copy.
_NEW_ID = {
    "sqlite": "substr({id}, 1, 8) || printf('%010x', n) || substr({id}, 19)",
    "postgresql": "substr({id}, 1, 8) || lpad(to_hex(n), 10, '0') || substr({id}, 19)",
}
_SPAN = "(SELECT max(sequence) AS span FROM events) AS span"
_SEQUENCES = """
UPDATE products SET sequence =
    (SELECT coalesce(max(sequence), 0) FROM events WHERE events.product_id = products.id)
"""


def multiply(db: str, times: int) -> None:
    """Add so many copies of each event in a database; once only, or two would have one id."""
    dialect = "sqlite" if db.startswith("sqlite") else "postgresql"
    statements = [_copying(table, dialect, times) for table in _TABLES]
    run = _on_sqlite if dialect == "sqlite" else _on_postgresql
    run(db, [*statements, _SEQUENCES])


#: Events last: their largest sequence number tells by how much each copy is moved on.
_TABLES = ("journal", "attempts", "deliveries", "events")


def _copying(table: str, dialect: str, times: int) -> str:
    columns = [each.name for each in Base.metadata.tables[table].columns]
    kept = [each for each in columns if each != "position"]
    values = [_value(each, dialect) for each in kept]
    return (
        f"{_SERIES[dialect].format(times=times)} INSERT INTO {table} ({', '.join(kept)})"  # noqa: S608 - words of our own
        f" SELECT {', '.join(values)} FROM series CROSS JOIN {table} AS old CROSS JOIN {_SPAN}"
    )


def _value(column: str, dialect: str) -> str:
    if column in {"id", "event_id", "delivery_id"}:
        return _NEW_ID[dialect].format(id=f"old.{column}")
    return "old.sequence + n * span" if column == "sequence" else f"old.{column}"


def _on_sqlite(db: str, statements: list[str]) -> None:
    # A connection of the driver's own does not look at foreign keys: each copy is a whole.
    connection = sqlite3.connect(str(make_url(db).database), isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.close()


def _on_postgresql(db: str, statements: list[str]) -> None:
    with psycopg.connect(db) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        for statement in statements:
            connection.execute(statement.encode())
    with psycopg.connect(db, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
