"""Waiting for deliveries by polling the database.

With a cursor, only deliveries count that were recorded, attempted or settled after it, as the
journal says. The journal is in the order of commits, so no delivery is missed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from leanbe_emitter.library.deliveries.delivery import Delivery
from leanbe_emitter.library.deliveries.filter import Filter
from leanbe_emitter.library.runtime.paging import check_limit
from leanbe_emitter.storage.queries.journal import Cursor


class Finder(Protocol):
    """Finds deliveries: ``leanbe.deliveries`` does."""

    def list(self, which: Filter, *, limit: int) -> Sequence[Delivery]:
        """Return the newest deliveries that a filter selects, at most ``limit``."""

    def among(self, ids: Iterable[str], which: Filter) -> Sequence[Delivery]:
        """Return the deliveries of these ids that a filter selects, the newest first."""


class DeliveryWait:
    """Polls for deliveries that a caller waits for.

    Args:
        deliveries: finds deliveries.
        read_journal: returns the ids of deliveries with journal entries after a cursor, and the
            cursor of the last entry.
        which: the deliveries to wait for; a filter without a status selects settled ones.
        count: how many deliveries to wait for.
        after: a cursor; only deliveries with journal entries after it count. None: all count.

    Raises:
        InvalidValue: ``count`` is less than 1.
    """

    def __init__(
        self,
        deliveries: Finder,
        read_journal: Callable[[Cursor], tuple[Iterable[str], Cursor]],
        which: Filter,
        *,
        count: int,
        after: Cursor | None,
    ) -> None:
        check_limit(count)
        if which.status is None and which.is_settled is None:
            which = replace(which, is_settled=True)
        self._deliveries = deliveries
        self._read_journal = read_journal
        self._which = which
        self._count = count
        self._after = after
        self._since = set[str]()
        self.found: Sequence[Delivery] = ()

    def look(self) -> bool:
        """Set ``found`` to the deliveries so far, newest first; return whether all have come.

        Raises:
            NotFound: there is no such product as the filter names.
            InvalidValue: the filter is refused.
        """
        if self._after is None:
            self.found = self._deliveries.list(self._which, limit=self._count)
        else:
            since, self._after = self._read_journal(self._after)
            self._since.update(since)
            self.found = self._deliveries.among(self._since, self._which)[: self._count]
        return len(self.found) >= self._count

    def __str__(self) -> str:
        return f"{len(self.found)} of {self._count} deliveries came"
