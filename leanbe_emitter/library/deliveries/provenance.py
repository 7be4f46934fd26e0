"""Where a delivery comes from: the first delivery of its event, and the job that made it.

No column says which delivery is a redelivery: it is one whose event had a delivery before. An
event's first delivery was recorded with the event, at the same instant.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import bindparam, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from leanbe_emitter.storage.queries.compiled_statements import fetch
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow, RedeliveryRow

_OTHER: Final = aliased(DeliveryRow)

#: Two columns for a statement about deliveries: whether the event has another delivery, and the job
#: that made this one. Both stop at the first row that they find.
COLUMNS: Final = (
    exists()
    .where(_OTHER.event_id == DeliveryRow.event_id, _OTHER.id != DeliveryRow.id)
    .correlate(DeliveryRow)
    .label("has_others"),
    select(RedeliveryRow.job)
    .where(
        RedeliveryRow.event_id == DeliveryRow.event_id, RedeliveryRow.delivery_id == DeliveryRow.id
    )
    .correlate(DeliveryRow)
    .limit(1)
    .scalar_subquery()
    .label("job"),
)

#: A manual clock may have been set back since, so that a redelivery has a smaller id.
_AGE: Final = case((DeliveryRow.created_at == EventRow.recorded_at, "0"), else_="1")
_FIRSTS: Final = (
    select(DeliveryRow.event_id, func.min(_AGE + DeliveryRow.id).label("first"))
    .join(EventRow, EventRow.id == DeliveryRow.event_id)
    .where(DeliveryRow.event_id.in_(bindparam("event_ids", expanding=True)))
    .group_by(DeliveryRow.event_id)
)


def redeliveries_of(session: Session, rows: Iterable[Any]) -> Mapping[str, str]:
    """Return the first delivery of each event that has several, by the ids of the later ones.

    Args:
        session: a session in a transaction.
        rows: deliveries with their ``id``, ``event_id`` and ``COLUMNS``.
    """
    several = [row for row in rows if row.has_others]
    if not several:
        return {}
    event_ids = sorted({row.event_id for row in several})
    found = fetch(session, _FIRSTS, event_ids=event_ids)
    firsts = {each.event_id: each.first[1:] for each in found}
    return {
        row.id: firsts[row.event_id]
        for row in several
        if firsts.get(row.event_id, row.id) != row.id
    }
