"""What a handle is opened with: its database, ready to be used, and what tells its time."""

from leanbe_emitter.clock import Clock
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.clock import clock_of
from leanbe_emitter.storage.schema.migrate import prepare


def prepared(database: Database, clock: Clock | str | None) -> tuple[bool, Clock]:
    """Return whether the database was made, or migrated, just now; and what tells the time."""
    try:
        return prepare(database), clock_of(database, clock)
    except LeanbeError:
        database.close()
        raise
