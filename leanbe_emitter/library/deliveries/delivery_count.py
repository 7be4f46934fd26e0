"""Numbers of deliveries that a filter selects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leanbe_emitter.library.deliveries.delivery_filter import Filter
from leanbe_emitter.library.deliveries.delivery_selection import selected
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.storage.schema.tables import DeliveryRow

#: The most deliveries that are counted.
MOST_COUNTED: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class DeliveryCount:
    """How many deliveries a filter selects.

    Attributes:
        by_status: the number for each status.
        is_more: whether counting stopped at 100 000 deliveries.
    """

    by_status: Mapping[DeliveryStatus, int] = field(hash=False)
    is_more: bool

    @property
    def count(self) -> int:
        """The number of all of them."""
        return sum(self.by_status.values())

    def document(self) -> dict[str, Any]:
        """Return the numbers as JSON."""
        by_status = {each.value: number for each, number in self.by_status.items()}
        return {"count": self.count, "byStatus": by_status, "more": self.is_more}


def count_deliveries(session: Session, which: Filter) -> DeliveryCount:
    """Count the deliveries that a filter selects; it raises what ``selected`` raises."""
    found = selected(session, which, DeliveryRow.state).limit(MOST_COUNTED).subquery()
    by_status = dict.fromkeys(DeliveryStatus, 0)
    by_state = select(found.c.state, func.count()).group_by(found.c.state)
    for state, number in session.execute(by_state):
        by_status[state.status] += number
    is_more = sum(by_status.values()) == MOST_COUNTED
    return DeliveryCount(by_status=by_status, is_more=is_more)
