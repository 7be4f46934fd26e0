"""Everything that a database holds, to compare what was there before and after."""

from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.document_tables import METADATA

Dump = dict[str, list[tuple[object, ...]]]

# Texts of SQL, as a test may compare hundreds of times, and to build a statement takes longer.
_STATEMENTS = {
    table.name: f"SELECT * FROM {table.name} ORDER BY "  # noqa: S608 - our own words
    + ", ".join(column.name for column in table.primary_key.columns)
    for table in METADATA.sorted_tables
}


def dump(database: Database) -> Dump:
    """Return every row of every table, in the order of the primary keys, as the driver reads it."""
    with database.reading() as session:
        connection = session.connection()
        return {
            table: [tuple(row) for row in connection.exec_driver_sql(statement)]
            for table, statement in _STATEMENTS.items()
        }
