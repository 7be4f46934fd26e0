"""Deliveries as rows of a list: what one line shows, read without bodies and answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, aliased

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.domain.document_values import instant_text
from leanbe_emitter.domain.lookup import Identified
from leanbe_emitter.library.deliveries import reading
from leanbe_emitter.storage.engine.session import fetch_by_ids
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from leanbe_emitter.storage.schema.tables import AttemptRow, DeliveryRow, EventRow, WebhookRow
from leanbe_emitter.wire.instants import print_milliseconds
from leanbe_emitter.wire.payloads.subject import BEGINNING, Subject

_encode: Final = json.JSONEncoder(separators=(",", ":")).encode

_OF_DELIVERY: Final = AttemptRow.delivery_id == DeliveryRow.id
_ANY: Final = aliased(AttemptRow)
_OF_ANY: Final = _ANY.delivery_id == DeliveryRow.id
_LAST: Final = select(func.max(_ANY.number)).where(_OF_ANY).correlate(DeliveryRow)
_COUNT: Final = select(func.count()).select_from(_ANY).where(_OF_ANY).correlate(DeliveryRow)

_ROWS: Final = (
    select(
        DeliveryRow.id,
        DeliveryRow.event_id,
        DeliveryRow.state,
        DeliveryRow.lease_token,
        DeliveryRow.due_at,
        DeliveryRow.created_at,
        *reading.COLUMNS,
        EventRow.product_id,
        EventRow.name,
        EventRow.triggered_at,
        EventRow.sequence,
        func.substr(EventRow.body, 1, BEGINNING).label("beginning"),
        WebhookRow.url.label("webhook_url"),
        _COUNT.scalar_subquery().label("attempts"),
        AttemptRow.url,
        AttemptRow.outcome,
        AttemptRow.answer_status,
        AttemptRow.duration_us,
        AttemptRow.fault,
    )
    .join(EventRow, EventRow.id == DeliveryRow.event_id)
    .outerjoin(WebhookRow, WebhookRow.product_id == DeliveryRow.product_id)
    .outerjoin(AttemptRow, _OF_DELIVERY & (AttemptRow.number == _LAST.scalar_subquery()))
    .where(DeliveryRow.id.in_(bindparam("ids", expanding=True)))
)


@dataclass(frozen=True, kw_only=True)
class RowOfDelivery(Identified):
    """One delivery as a row of a list, true at the moment it was read.

    Attributes:
        status: the status of the delivery.
        redelivery_of: the id of the event's first delivery, if this is a later one.
        job: the name of the job that made the delivery; None if no job did.
        url: the URL of the last attempt; before the first attempt, the product's URL.
        product_id: the product of the event.
        event_id, event, sequence: the event: its id, name and number.
        about: the document that the event's payload is.
        attempts: how many attempts have ended.
        outcome, answer_status, duration_ms, fault: of the last attempt; None without one.
    """

    status: DeliveryStatus
    redelivery_of: str | None
    job: str | None
    url: str | None
    product_id: str
    event_id: str
    event: str
    sequence: int
    about: Subject
    attempts: int
    outcome: Outcome | None
    answer_status: int | None
    duration_ms: float | None
    fault: str | None
    # In milliseconds since 1970: a stream prints many rows, and few readers want datetimes.
    _next_due: int | None
    _owed: int
    _triggered: int

    @property
    def next_due_at(self) -> datetime | None:
        """When the next attempt is due; None if the delivery is settled, or while it is made."""
        return None if self._next_due is None else from_milliseconds(self._next_due)

    @property
    def owed_at(self) -> datetime:
        """When the delivery was recorded."""
        return from_milliseconds(self._owed)

    @property
    def triggered_at(self) -> datetime:
        """The time of the event."""
        return from_milliseconds(self._triggered)

    def document(self) -> dict[str, Any]:
        """Return the row as JSON."""
        return {
            "_id": self.id,
            "status": self.status.value,
            "nextDueAt": instant_text(self._next_due),
            "owedAt": print_milliseconds(self._owed),
            "redeliveryOf": self.redelivery_of,
            "job": self.job,
            "url": self.url,
            "product": self.product_id,
            "event": {
                "_id": self.event_id,
                "event": self.event,
                "triggeredAt": print_milliseconds(self._triggered),
                "sequence": self.sequence,
            },
            "about": self.about.document(),
            "attempts": self.attempts,
            "outcome": None if self.outcome is None else self.outcome.value,
            "answer": self.answer_status,
            "durationMs": self.duration_ms,
            "fault": self.fault,
        }

    def text(self) -> str:
        """Return the row as JSON text, compact and in ASCII."""
        return _encode(self.document())


def read_rows(session: Session, ids: Sequence[str]) -> list[RowOfDelivery]:
    """Return the rows of these deliveries in the same order, without deleted ones."""
    found = list(fetch_by_ids(session, _ROWS, ids))
    firsts = reading.redeliveries_of(session, found)
    rows = {each.id: _row(each, firsts.get(each.id)) for each in found}
    return [rows[each] for each in ids if each in rows]


# A stream reads the same event two or three times within a second.
_subject = lru_cache(maxsize=512)(Subject.of)


def _row(found: Any, redelivery_of: str | None) -> RowOfDelivery:
    awaits_attempt = found.state.status is DeliveryStatus.PENDING and found.lease_token is None
    was_tried = found.outcome is not None
    return RowOfDelivery(
        id=found.id,
        status=found.state.status,
        _next_due=found.due_at if awaits_attempt else None,
        _owed=found.created_at,
        _triggered=found.triggered_at,
        redelivery_of=redelivery_of,
        job=found.job,
        url=found.url if was_tried else found.webhook_url,
        product_id=found.product_id,
        event_id=found.event_id,
        event=found.name,
        sequence=found.sequence,
        about=_subject(found.name, found.beginning),
        attempts=found.attempts,
        outcome=found.outcome,
        answer_status=found.answer_status,
        duration_ms=round(found.duration_us / 1000, 3) if was_tried else None,
        fault=found.fault,
    )
