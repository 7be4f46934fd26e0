"""Opening of a database: its tables and its clock."""

from leanbe_emitter.clock import Clock
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.clock import clock_of
from leanbe_emitter.storage.schema.migrate import prepare


def open_database(database: Database, clock: Clock | str | None) -> tuple[bool, Clock]:
    """Create or migrate the tables if that is needed; return whether it was, and the clock."""
    try:
        return prepare(database), clock_of(database, clock)
    except LeanbeError:
        database.close()
        raise
