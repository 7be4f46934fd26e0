"""How a product or a delivery is named, wherever one can be."""

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.domain import product_lookup
from leanbe_emitter.domain.lookup import find
from leanbe_emitter.storage.schema.tables import DeliveryRow, ProductRow

if TYPE_CHECKING:
    from leanbe_emitter.library.runtime.snapshots import DeliveryRef, ProductRef


def named(session: Session, reference: "ProductRef | None") -> ProductRow:
    """Return the row of the product that is named; None names the only one there is.

    Raises:
        NotFound: there is none.
        InvalidValue: there are several.
    """
    if reference is None:
        return product_lookup.only(session)
    text = reference if isinstance(reference, str) else reference.id
    return product_lookup.get(session, text)


def row_of(session: Session, reference: "DeliveryRef") -> DeliveryRow:
    """Return the row of the delivery that is named.

    Raises:
        NotFound: there is none.
        InvalidValue: there are several.
    """
    text = reference if isinstance(reference, str) else reference.id
    return find(session, select(DeliveryRow), text, what="delivery", by_id=DeliveryRow.id)
