"""References to products and deliveries: a snapshot, a name, an id, or a part of an id."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.domain import lookup
from leanbe_emitter.domain.lookup import find, reference_text
from leanbe_emitter.library.runtime.snapshot_parts import Identified
from leanbe_emitter.storage.schema.tables import DeliveryRow, ProductRow


def product_row(session: Session, reference: Identified | str | None) -> ProductRow:
    """Return the row of the product that a reference names; None names the only product.

    Raises:
        NotFound: no product matches.
        InvalidValue: several products match.
    """
    if reference is None:
        return lookup.only_product(session)
    return lookup.product(session, reference_text(reference))


def delivery_row(session: Session, reference: Identified | str) -> DeliveryRow:
    """Return the row of the delivery that a reference names.

    Raises:
        NotFound: no delivery matches.
        InvalidValue: several deliveries match.
    """
    text = reference_text(reference)
    return find(session, select(DeliveryRow), text, what="delivery", by_id=DeliveryRow.id)
