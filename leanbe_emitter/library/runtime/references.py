"""References to products and deliveries: a snapshot, a name, an id, or a part of an id.

``Identified`` is what all snapshots have in common.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.domain import lookup
from leanbe_emitter.domain.lookup import find, reference_text
from leanbe_emitter.storage.schema.tables import DeliveryRow, ProductRow

Headers = tuple[tuple[str, str], ...]


def header_pairs(pairs: Iterable[Iterable[str]]) -> Headers:
    """Return stored headers as an immutable sequence of names and values."""
    return tuple((name, value) for name, value in pairs)


@dataclass(frozen=True, kw_only=True)
class Identified:
    """A snapshot that has an id. Every method that takes the id takes the snapshot, too."""

    id: str


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
