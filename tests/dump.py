"""Everything that a database holds, to compare what was there before and after."""

from sqlalchemy import select

from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.documents import METADATA

Dump = dict[str, list[tuple[object, ...]]]


def dump(database: Database) -> Dump:
    """Return every row of every table, in the order of the primary keys."""
    with database.reading() as session:
        return {
            table.name: [
                tuple(map(_readable, row))
                for row in session.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in METADATA.sorted_tables
        }


def _readable(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
