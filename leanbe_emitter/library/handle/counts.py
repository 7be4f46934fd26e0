"""How much there is of everything: ``leanbe.counts()``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow, ProductRow


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Numbers of rows; ``deliveries`` by status."""

    products: int
    events: int
    deliveries: Mapping[DeliveryStatus, int] = field(hash=False)


def count(session: Session) -> Counts:
    """Count what there is."""
    by_status = dict.fromkeys(DeliveryStatus, 0)
    by_state = select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)
    for state, number in session.execute(by_state):
        by_status[state.status] += number
    return Counts(
        products=session.scalars(select(func.count()).select_from(ProductRow)).one(),
        events=session.scalars(select(func.count()).select_from(EventRow)).one(),
        deliveries=by_status,
    )
