"""Which product is meant: the one of a name or an id, or the only one there is.

This needs no document's table, so that who makes synthetic events loads none.
"""

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain.references import find
from leanbe_emitter.domain.texts import can_be_held
from leanbe_emitter.errors import InvalidValue, NotFound
from leanbe_emitter.hints import CREATE_PRODUCT, Hint
from leanbe_emitter.storage.queries.prepared import loaded
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
    """Return the product of that name, id, or part of an id.

    Raises:
        NotFound: there is none.
        InvalidValue: there are several.
    """
    exact = loaded(session, _EXACT, reference=reference) if can_be_held(reference) else ()
    # An id beats a name.
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


def known(session: Session, reference: str) -> ProductRow:
    """Return and raise what ``get`` does, for who asks again and again in a transaction."""
    # A session itself forgets a row that nobody holds.
    rows: dict[str, ProductRow] = session.info.setdefault(_KNOWN, {})
    row = rows.get(reference)
    if row is None or row not in session or reference not in {row.id, row.name}:
        row = rows[reference] = get(session, reference)
    return row


def only(session: Session) -> ProductRow:
    """Return the one product there is.

    Raises:
        NotFound: there is none.
        InvalidValue: there are several, so that one must be named.
    """
    rows = session.scalars(select(ProductRow).order_by(ProductRow.name).limit(_SHOWN + 1)).all()
    if not rows:
        raise NotFound("There is no product yet.", hint=CREATE_PRODUCT.between("Create one: ", "."))
    if len(rows) > 1:
        names = ", ".join(repr(row.name) for row in rows[:_SHOWN])
        more = ", ..." if len(rows) > _SHOWN else ""
        raise InvalidValue(f"There are several products: {names}{more}.", hint=_NAME_ONE)
    return rows[0]
