"""``Recorder``: records synthetic events and leaves every attempt to a worker.

This module imports as little as possible: no sender, no event loop, and no table of documents.
Importing the rest of ``Leanbe`` takes a third of the time of a short command.
"""

from types import TracebackType
from typing import Self

from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.opening import open_database
from leanbe_emitter.library.trigger.synthetic_events import TriggerRequest
from leanbe_emitter.library.trigger.trigger_request import record_planned
from leanbe_emitter.outbox import Recorded
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.clock import StoredClock


class Recorder:
    """Records synthetic events in a database.

    Args:
        settings: the database's URL and the limits of payloads.

    Attributes:
        created: whether opening created or migrated the database.

    Raises:
        InvalidValue: the settings name no URL of a database.
        DatabaseUnavailable: the database cannot be opened.
        DatabaseBehind: the database's tables are not those of this program.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ids = Ids()
        self._database = Database(settings.db)
        self.created, self._clock = open_database(self._database, None)

    def record(self, request: TriggerRequest) -> list[Recorded]:
        """Record synthetic events of one document, and their deliveries.

        Raises:
            InvalidValue: an unknown event, a wrong path, or an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        with self._database.transaction() as session:
            return record_planned(
                session, request, now=self._clock.now(), ids=self._ids, settings=self._settings
            )

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
        return f"Recorder({self._database!r})"
