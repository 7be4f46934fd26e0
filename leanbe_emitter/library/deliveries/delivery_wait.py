"""Waiting for deliveries: whoever waits looks again and again, by a lookout of its own.

Behind a cursor, what counts is what the journal tells of there: a delivery that was recorded,
attempted or settled since. The journal is in the order of commits, so none is missed.
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
    """Looks whether deliveries have come that somebody waits for.

    Args:
        deliveries: where they are.
        told: returns the ids of what the journal tells of behind a cursor, and the cursor then.
        which: those that are waited for; where it says nothing of it, those that are settled.
        count: how many of them.
        after: only those that something happened to behind this cursor; None: any.

    Raises:
        InvalidValue: ``count`` is less than 1.
    """

    def __init__(
        self,
        deliveries: Finder,
        told: Callable[[Cursor], tuple[Iterable[str], Cursor]],
        which: Filter,
        *,
        count: int,
        after: Cursor | None,
    ) -> None:
        check_limit(count)
        if which.status is None and which.is_settled is None:
            which = replace(which, is_settled=True)
        self._deliveries = deliveries
        self._told = told
        self._which = which
        self._count = count
        self._after = after
        self._since = set[str]()
        self.found: Sequence[Delivery] = ()

    def look(self) -> bool:
        """Look what has come, newest first, as ``found`` says then; return whether that is all.

        Raises:
            NotFound: the filter names a product that is not there.
            InvalidValue: the filter is refused.
        """
        if self._after is None:
            self.found = self._deliveries.list(self._which, limit=self._count)
        else:
            since, self._after = self._told(self._after)
            self._since.update(since)
            self.found = self._deliveries.among(self._since, self._which)[: self._count]
        return len(self.found) >= self._count

    def __str__(self) -> str:
        return f"{len(self.found)} of {self._count} deliveries came"
