"""Reads for the feed of rows: batches in their order, the pulse, and what else has changed.

A batch is what changed after a place of the journal, the last state of each delivery. All of it is
synchronous, and a reader is called by one thread at a time.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from leanbe_emitter.library import Leanbe
from leanbe_emitter.library.deliveries.list_rows import RowOfDelivery
from leanbe_emitter.server.http.responses import event_message
from leanbe_emitter.storage.queries.fingerprints import Fingerprint, Setting, Subject
from leanbe_emitter.storage.queries.journal import Cursor, Fact
from leanbe_emitter.storage.schema.states import DeliveryStatus, JournalKind, Outcome
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.payloads.declarations import DECLARATIONS

#: Most rows of a batch: the deliveries that changed last.
MOST_ROWS: Final = 200
#: About the most facts of the journal that a batch is about.
MOST_FACTS: Final = 2000
#: The paths of documents, by the first word of their events.
_PATHS: Final = {each.name: each.path for each in DECLARATIONS}
#: Most events whose documents are named as changed by one pulse.
_MOST_EVENTS: Final = 2000


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
        return event_message("rows", data, cursor=str(self.end))


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


class Change(NamedTuple):
    """Something other than deliveries that changed.

    Attributes:
        what: ``faults``, ``ideas`` and so on; empty for a reset.
        product_id: the product that it belongs to; None: none, or all.
    """

    what: str
    product_id: str | None

    def message(self) -> str:
        """Return the message for listeners."""
        name, data = ("changed", {"what": self.what}) if self.what else ("reset", {})
        text = json.dumps({**data, "product": self.product_id})
        return event_message(name, text, cursor=None)


class RowReader:
    """Reads the journal from its present end on.

    Raises:
        DatabaseUnavailable: the database cannot be read; so do all methods.
    """

    def __init__(self, leanbe: Leanbe) -> None:
        self._leanbe = leanbe
        self._cursor = leanbe.journal.follow_cursor()
        self._settings = leanbe.fingerprints()
        self._settled = 0
        self._outcomes = Counter[Outcome]()
        self._attempts: list[tuple[str, int]] = []
        self._event_ids: list[str] = []

    def next_batch(self) -> RowBatch:
        """Return the batch after the last one."""
        batch, facts = read_batch(self._leanbe, self._cursor)
        self._cursor = batch.end
        for fact in facts:
            self._count(fact)
        return batch

    def pulse(self) -> str:
        """Return the pulse as JSON: the clock, the queue, and what happened since the last one."""
        due, now = self._leanbe.due(), self._leanbe.clock.now()
        outcomes = self._outcomes + self._leanbe.deliveries.outcomes_of(self._attempts)
        data: dict[str, Any] = {
            "now": print_instant(now),
            "clock": self._leanbe.clock.kind,
            "due": due.count,
            "inFlight": due.in_flight,
            "lagSeconds": due.lag_seconds(now),
            "settled": self._settled,
            "outcomes": {each.value: outcomes[each] for each in Outcome},
            "faults": sum(each.fired < each.times for each in self._leanbe.faults.list()),
        }
        self._settled, self._attempts = 0, []
        self._outcomes.clear()
        return json.dumps(data)

    def changes(self) -> Sequence[Change]:
        """Return what else has changed since the last call."""
        before, self._settings = self._settings, self._leanbe.fingerprints()
        names, self._event_ids = self._leanbe.events.names_of(self._event_ids), []
        documents = {Change(_PATHS[name.partition(".")[0]], owner) for name, owner in names}
        return [*_differences(before, self._settings), *sorted(documents)]

    def _count(self, fact: Fact) -> None:
        if fact.kind is JournalKind.EVENT and len(self._event_ids) < _MOST_EVENTS:
            self._event_ids.append(fact.event_id)
        if fact.status is not None:
            self._settled += 1
        if fact.number is None or fact.delivery_id is None:
            return
        if fact.status is DeliveryStatus.DELIVERED and fact.number == 1:
            self._outcomes[Outcome.DELIVERED] += 1
        else:
            self._attempts.append((fact.delivery_id, fact.number))

    @property
    def cursor(self) -> Cursor:
        """The place up to which the journal was read."""
        return self._cursor


def _differences(
    before: Mapping[Subject, Fingerprint], after: Mapping[Subject, Fingerprint]
) -> Iterator[Change]:
    """Yield what differs between two readings; resets come first."""
    products_before, products_after = _products(before), _products(after)
    if products_before and not products_before & products_after:
        yield Change("", None)
    for each in sorted(products_before & products_after, key=str):
        events = Subject(Setting.EVENTS, each)
        if _is_reset(*before[events], *after[events]):
            yield Change("", each)
    for subject in sorted({*before, *after}, key=str):
        if subject.setting is not Setting.EVENTS and before.get(subject) != after.get(subject):
            yield Change(subject.setting.value, subject.product_id)


def _is_reset(first: int | None, last: int, first_now: int | None, _: int) -> bool:
    """Return whether all earlier events are gone; a prune that deletes all of them counts, too."""
    return first is not None and (first_now is None or first_now > last)


def _products(settings: Mapping[Subject, Fingerprint]) -> set[str | None]:
    return {each.product_id for each in settings if each.setting is Setting.EVENTS}
