"""``Documents``: a handle for the documents of a database; a worker delivers their events.

This module loads no sender and no network: a short command starts a third faster without them.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

from leanbe_emitter.domain import lookup
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.documents.announcements import Announcements
from leanbe_emitter.library.documents.backlog_items import BacklogItems
from leanbe_emitter.library.documents.customers import Customers
from leanbe_emitter.library.documents.idea_requests import IdeaRequests
from leanbe_emitter.library.documents.ideas import Ideas
from leanbe_emitter.library.documents.okrs import Okrs
from leanbe_emitter.library.documents.resources import Resource
from leanbe_emitter.library.runtime.opening import OpenDatabase
from leanbe_emitter.library.runtime.transactions import Transaction, Transactions
from leanbe_emitter.settings import Settings

#: The kinds of documents, by their attributes of a product.
COLLECTIONS: Final[Mapping[str, type[Resource[Any, Any]]]] = {
    "customers": Customers,
    "ideas": Ideas,
    "idea_requests": IdeaRequests,
    "backlog_items": BacklogItems,
    "okrs": Okrs,
    "announcements": Announcements,
}


class Documents(OpenDatabase):
    """The documents of a database."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._transactions = Transactions(
            self._database, clock=self._clock, ids=Ids(), settings=settings, assume={}
        )

    def of(self, product: str | None, collection: str) -> Resource[Any, Any]:
        """Return the documents of one kind; without a product, those of the only one.

        Raises:
            NotFound: there is no product.
            InvalidValue: there are several products, and none is named.
        """
        if product is None:
            with self._transactions.looking() as session:
                product = lookup.product(session, None).id
        return COLLECTIONS[collection](self._transactions, product)

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin a transaction; after its end, it has the recorded events."""
        return self._transactions.begin()
