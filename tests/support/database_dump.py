"""Dump of a database, to compare its content before and after an action."""

from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.document_tables import METADATA

Dump = dict[str, list[tuple[object, ...]]]

# SQL texts: a test may compare hundreds of times, and building a statement takes longer.
_STATEMENTS = {
    table.name: f"SELECT * FROM {table.name} ORDER BY "  # noqa: S608 - names of our tables
    + ", ".join(column.name for column in table.primary_key.columns)
    for table in METADATA.sorted_tables
}


def dump(database: Database) -> Dump:
    """Return all rows of all tables, ordered by primary key, as the driver reads them."""
    with database.reading() as session:
        connection = session.connection()
        return {
            table: [tuple(row) for row in connection.exec_driver_sql(statement)]
            for table, statement in _STATEMENTS.items()
        }
