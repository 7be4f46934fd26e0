"""Opening of a database: its tables and its clock."""

from types import TracebackType
from typing import Self

from leanbe_emitter.clock import Clock
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.stored_clock import StoredClock, clock_of
from leanbe_emitter.storage.schema.migrate import prepare


def open_database(database: Database, clock: Clock | str | None) -> tuple[bool, Clock]:
    """Create or migrate the tables if that is needed; return whether it was, and the clock."""
    try:
        return prepare(database), clock_of(database, clock)
    except LeanbeError:
        database.close()
        raise


class OpenDatabase:
    """A database that is open until the end of a block, without a sender.

    Args:
        settings: the database's URL, how it waits for the disk, and the limits of payloads.

    Attributes:
        created: whether opening created or migrated the database.

    Raises:
        InvalidValue: the settings name no URL of a database.
        DatabaseUnavailable: the database cannot be opened.
        DatabaseBehind: the database's tables are not those of this program.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.db, synchronous=settings.sqlite_synchronous)
        self.created, self._clock = open_database(self._database, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()
        if isinstance(self._clock, StoredClock):
            self._clock.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database!r})"
