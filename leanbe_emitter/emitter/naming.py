"""How a product is named, wherever one can be."""

from sqlalchemy.orm import Session

from leanbe_emitter.domain import products
from leanbe_emitter.emitter.snapshots import Product
from leanbe_emitter.storage.tables import ProductRow

#: A product is named by a snapshot of it, its name, its id, or a part of the id.
ProductRef = Product | str


def named(session: Session, reference: ProductRef | None) -> ProductRow:
    """Return the row of the product that is named; None names the only one there is.

    Raises:
        NotFound: there is none.
        InvalidValue: there are several.
    """
    if reference is None:
        return products.only(session)
    return products.get(session, reference.id if isinstance(reference, Product) else reference)
