"""Rows as the values of one statement of SQLite: it writes them in one step.

``executemany`` makes a step for each row, and gives up the interpreter each time: a fifth of what
an insertion costs, and a thread that waits for the interpreter takes it over each time.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from leanbe_emitter.storage.engine.sqlite_driver import execute


def insert(
    connection: Connection, into: str, row: str, rows: Sequence[tuple[Any, ...]], *, at_once: int
) -> None:
    """Write rows; there may be none.

    Args:
        connection: a transaction's.
        into: ``INSERT INTO attempts (delivery_id, number)``.
        row: the SQL of one row, ``(?, ?)``.
        rows: the values of each.
        at_once: how many rows one statement writes: SQLite takes 32 766 values.
    """
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        statement = f"{into} VALUES {', '.join([row] * len(some))}"
        execute(connection, statement, tuple(chain.from_iterable(some)))
