"""SQLAlchemy's compiled statements, kept for the process and not for each engine.

A test has an engine of its own if its database is on PostgreSQL or in a file. To compile its
statements would take longer than to run them.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite


def share_compiled_statements() -> None:
    """Let engines that are made from now on share their statements, all engines of one driver."""
    for kind in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        _share(kind)


def _share(kind: Any) -> None:
    compiled: dict[Any, Any] = {}

    def engine_created(_: object, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=compiled)

    # The dialect is a part of what a compiled statement is found by.
    kind.__eq__ = lambda self, other: type(self) is type(other)
    kind.__hash__ = lambda self: hash(type(self))
    kind.engine_created = classmethod(engine_created)
