"""Numbers of rows that a reset, or the deletion of a product, deletes."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from leanbe_emitter.storage.schema.document_tables import (
    AnnouncementRow,
    BacklogItemRow,
    CustomerProductRow,
    IdeaRequestRow,
    IdeaRow,
    OkrRow,
)
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow, FaultRow, ProductRow

#: What is counted, and where: a customer of several products counts once.
_COUNTED: Final[Mapping[str, Any]] = {
    "product": ProductRow.id,
    "customer": CustomerProductRow.customer_id,
    "idea": IdeaRow.id,
    "idea request": IdeaRequestRow.id,
    "backlog item": BacklogItemRow.id,
    "OKR": OkrRow.id,
    "announcement": AnnouncementRow.id,
    "event": EventRow.id,
    "delivery": DeliveryRow.id,
    "pending delivery": DeliveryRow.id,
    "fault": FaultRow.id,
}
_PENDING: Final = DeliveryRow.state.in_([each for each in DeliveryState if not each.is_end])


def row_counts(session: Session, product_id: str | None = None) -> dict[str, int]:
    """Return how many rows there are by noun, in a database or of one product.

    A pending delivery also counts as a delivery.
    """
    counts = {}
    for noun, column in _COUNTED.items():
        number = select(func.count(distinct(column)))
        if noun == "pending delivery":
            number = number.where(_PENDING)
        if product_id is not None:
            owner = ProductRow.id if noun == "product" else column.class_.product_id
            number = number.where(owner == product_id)
        counts[noun] = session.scalars(number).one()
    return counts
