"""Lookup of a product: by its name or id, or the only product there is.

This module imports no document tables, so synthetic events load none.
"""

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain.lookup import find
from leanbe_emitter.domain.not_found import no_product_yet
from leanbe_emitter.domain.validation import is_storable
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.hints import Hint
from leanbe_emitter.storage.queries.compiled_statements import load
from leanbe_emitter.storage.schema.tables import ProductRow

_KNOWN = "leanbe_products"
_EXACT = select(ProductRow).where(
    or_(ProductRow.id == bindparam("reference"), ProductRow.name == bindparam("reference"))
)
#: How many names a message shows.
_SHOWN = 3
_NAME_ONE = Hint(
    call="Name one: product=...", command="Name one with --product.", request="Name one."
)


def get(session: Session, reference: str) -> ProductRow:
    """Return the product of a name, an id, or a part of an id.

    Raises:
        NotFound: no product has it.
        InvalidValue: several products have it.
    """
    exact = load(session, _EXACT, reference=reference) if is_storable(reference) else ()
    # An id takes precedence over a name.
    for row in sorted(exact, key=lambda each: each.id != reference):
        return row
    return find(
        session,
        select(ProductRow),
        reference,
        what="product",
        by_id=ProductRow.id,
        by_name=lambda name: ProductRow.name == name,
        names=lambda: session.scalars(select(ProductRow.name)).all(),
    )


def cached(session: Session, reference: str) -> ProductRow:
    """Do the same as ``get``, for callers that repeat it within a transaction."""
    # The session itself keeps no row that nobody else refers to.
    rows: dict[str, ProductRow] = session.info.setdefault(_KNOWN, {})
    row = rows.get(reference)
    if row is None or row not in session or reference not in {row.id, row.name}:
        row = rows[reference] = get(session, reference)
    return row


def only(session: Session) -> ProductRow:
    """Return the only product of the database.

    Raises:
        NotFound: the database has no product.
        InvalidValue: it has several, so the caller must name one.
    """
    rows = session.scalars(select(ProductRow).order_by(ProductRow.name).limit(_SHOWN + 1)).all()
    if not rows:
        raise no_product_yet()
    if len(rows) > 1:
        names = ", ".join(repr(row.name) for row in rows[:_SHOWN])
        more = ", ..." if len(rows) > _SHOWN else ""
        raise InvalidValue(f"There are several products: {names}{more}.", hint=_NAME_ONE)
    return rows[0]
