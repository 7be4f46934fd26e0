"""Batches of rows: what changed after a place of the journal, the last state of each delivery."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from leanbe_emitter.library import Leanbe
from leanbe_emitter.library.deliveries.list_rows import RowOfDelivery
from leanbe_emitter.server.http import server_sent_events
from leanbe_emitter.storage.queries.journal import Cursor, Fact

#: Most rows of a batch: the deliveries that changed last.
MOST_ROWS: Final = 200
#: About the most facts of the journal that a batch is about.
MOST_FACTS: Final = 2000


@dataclass(frozen=True, kw_only=True)
class RowFilter:
    """The rows that a listener wants; None: of any product, of any event.

    Attributes:
        product_id: the product of the deliveries.
        events: the names of the events.
    """

    product_id: str | None = None
    events: Collection[str] | None = None

    def fits(self, row: RowOfDelivery) -> bool:
        """Return whether the listener wants a row."""
        return self.product_id in {None, row.product_id} and (
            self.events is None or row.event in self.events
        )


#: The filter that every row passes.
ALL: Final = RowFilter()


@dataclass(frozen=True, kw_only=True, eq=False)
class RowBatch:
    """The deliveries that changed between two places of the journal.

    Attributes:
        start: the cursor before the changes.
        end: the cursor behind them.
        rows: the rows of the deliveries that changed last, in the order of their changes.
        skipped: how many further deliveries changed.
    """

    start: Cursor
    end: Cursor
    rows: Sequence[RowOfDelivery] = ()
    skipped: int = 0

    def message(self, which: RowFilter) -> str:
        """Return the message for a listener; empty if nothing changed that it wants."""
        if which == ALL:
            return self._whole
        wanted = [text for row, text in zip(self.rows, self._texts, strict=True) if which.fits(row)]
        return self._message(wanted)

    @cached_property
    def _whole(self) -> str:
        return self._message(self._texts)

    @cached_property
    def _texts(self) -> Sequence[str]:
        return [row.text() for row in self.rows]

    def _message(self, texts: Sequence[str]) -> str:
        if not texts and not self.skipped:
            return ""
        data = f'{{"items":[{",".join(texts)}],"skipped":{self.skipped}}}'
        return server_sent_events.message("rows", data, cursor=str(self.end))


def read_batch(leanbe: Leanbe, after: Cursor) -> tuple[RowBatch, Sequence[Fact]]:
    """Return the batch after a cursor, and the journal's facts that it is about.

    Raises:
        DatabaseUnavailable: the database cannot be read.
    """
    facts, end = leanbe.journal.facts(after, limit=MOST_FACTS)
    changed = _last_changed(each.delivery_id for each in facts)
    shown = changed[-MOST_ROWS:]
    batch = RowBatch(
        start=after,
        end=end,
        rows=leanbe.deliveries.rows_of(shown) if shown else (),
        skipped=len(changed) - len(shown),
    )
    return batch, facts


def _last_changed(delivery_ids: Iterable[str | None]) -> list[str]:
    """Return the ids once each, in the order of their last occurrences."""
    ids: dict[str, None] = {}
    for each in delivery_ids:
        if each is not None:
            ids.pop(each, None)
            ids[each] = None
    return list(ids)
