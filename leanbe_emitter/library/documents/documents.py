"""``Documents``: the documents of a database, whose events are left to a worker.

This module loads no sender and no network: a short command starts a third faster without them.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Self

from leanbe_emitter.domain import lookup
from leanbe_emitter.domain.action import Limits
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.documents.announcements import Announcements
from leanbe_emitter.library.documents.backlog_items import BacklogItems
from leanbe_emitter.library.documents.customers import Customers
from leanbe_emitter.library.documents.idea_requests import IdeaRequests
from leanbe_emitter.library.documents.ideas import Ideas
from leanbe_emitter.library.documents.okrs import Okrs
from leanbe_emitter.library.documents.resources import Resource
from leanbe_emitter.library.runtime.opening import open_database
from leanbe_emitter.library.runtime.transactions import Transaction, Transactions
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.clock import StoredClock

#: The kinds of documents, by their attributes of a product.
COLLECTIONS: Final[Mapping[str, type[Resource[Any, Any]]]] = {
    "customers": Customers,
    "ideas": Ideas,
    "idea_requests": IdeaRequests,
    "backlog_items": BacklogItems,
    "okrs": Okrs,
    "announcements": Announcements,
}


class Documents:
    """The documents of a database.

    Args:
        settings: the database's URL, and the limits of payloads.

    Attributes:
        created: whether opening created or migrated the database.

    Raises:
        InvalidValue: the settings name no URL of a database.
        DatabaseUnavailable: the database cannot be opened.
        DatabaseBehind: the database's tables are not those of this program.
    """

    def __init__(self, settings: Settings) -> None:
        self._database = Database(settings.db, synchronous=settings.sqlite_synchronous)
        self.created, self._clock = open_database(self._database, None)
        self._transactions = Transactions(
            self._database,
            clock=self._clock,
            ids=Ids(),
            rules=settings.target_rules,
            assume={},
            limits=Limits(
                max_depth=settings.max_depth, max_payload_bytes=settings.max_payload_bytes
            ),
        )

    def of(self, product: str | None, collection: str) -> Resource[Any, Any]:
        """Return the documents of one kind; without a product, those of the only one.

        Raises:
            NotFound: there is no product.
            InvalidValue: there are several products, and none is named.
        """
        if product is None:
            with self._transactions.looking() as session:
                product = lookup.only_product(session).id
        return COLLECTIONS[collection](self._transactions, product)

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin a transaction; after its end, it has the recorded events."""
        return self._transactions.begin()

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
        return f"Documents({self._database!r})"
