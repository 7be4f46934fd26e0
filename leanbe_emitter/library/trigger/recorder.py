"""``Recorder``: records synthetic events and leaves every attempt to a worker.

It loads what that takes and no more: no sender, no loop, and no document's table. What else
``Leanbe`` loads is a third of the time of a short command.
"""

from types import TracebackType
from typing import Self

from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.opening import prepared
from leanbe_emitter.library.trigger.synthetic_events import TriggerRequest
from leanbe_emitter.library.trigger.trigger_request import recorded
from leanbe_emitter.outbox import Recorded
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.clock import StoredClock


class Recorder:
    """A database that events are recorded in.

    Args:
        settings: where the database is, and what limits payloads have.

    Attributes:
        created: whether the database was made, or migrated, just now.

    Raises:
        InvalidValue: the settings name no URL of a database.
        DatabaseUnavailable: the database cannot be opened.
        DatabaseBehind: its tables are not those of this program.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ids = Ids()
        self._database = Database(settings.db)
        self.created, self._clock = prepared(self._database, None)

    def record(self, wanted: TriggerRequest) -> list[Recorded]:
        """Record synthetic events of one and the same document, and what is owed for them.

        Raises:
            InvalidValue: an unknown event, a wrong path, an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        with self._database.transaction() as session:
            return recorded(
                session, wanted, now=self._clock.now(), ids=self._ids, settings=self._settings
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
