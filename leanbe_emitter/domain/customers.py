"""Customers: of one product or of several (contract b.2, c.2, c.4).

Every event of a customer goes to each of its products, with that product's sequence,
``triggeredAt`` and signature. A product that the customer leaves gets that last update, too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import ScalarSelect, Select, delete, func, select, update
from sqlalchemy.orm import Session

from leanbe_emitter.domain import lookup
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.document_values import assign, changed_names, product_reference
from leanbe_emitter.domain.lookup import find
from leanbe_emitter.domain.users import email_key
from leanbe_emitter.domain.validation import check_fields, require
from leanbe_emitter.errors import Conflict, InvalidValue
from leanbe_emitter.storage.engine.session import insert_row, new_row
from leanbe_emitter.storage.schema.document_tables import (
    CustomerProductRow,
    CustomerRow,
    IdeaRequestRow,
    IdeaRow,
    VoteRow,
)
from leanbe_emitter.storage.schema.states import VoteDirection
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.assumption_set import CustomerFanout
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.instants import print_milliseconds
from leanbe_emitter.wire.payloads.declarations import CUSTOMER, snake_case
from leanbe_emitter.wire.stringify import JSON

#: The default ``source`` of customers and requests (contract b.2).
MANUAL = "Manual"
#: The columns of the members that a row holds as the document shows them.
_COLUMNS = {
    name: snake_case(name) for name in (*CUSTOMER.settable, "publicId") if name != "products"
}
#: Lists whose entries have ids of any form. An entry without an id gets one.
_WITH_IDS = ("devices", "billing_details")


def create(action: Action, product: ProductRow, values: Mapping[str, JSON]) -> CustomerRow:
    """Create a customer of a product, or add the product to a customer of the same e-mail.

    A customer who exists in another product keeps the spelling of the e-mail, and gets the other
    values.

    Events: ``customer.created``, or ``customer.updated`` for an existing customer.

    Raises:
        Conflict: the product has a customer of that e-mail already.
        InvalidValue: a value is refused, or the e-mail is missing.
        NotFound: a product does not exist.
    """
    require(values, "email")
    email = _checked_email(values["email"])
    wanted = _wanted(action.session, values, first=product)
    known = _lock_holder(action, email, wanted)
    for each in wanted:
        _check_free(action.session, each, email, but=known)
    if known is None:
        return _make(action, wanted, values)
    if belongs_to(action.session, known, product):
        raise _taken(product, known.email)
    rest = {name: value for name, value in values.items() if name != "email"}
    return _admit(action, known, wanted, rest)


def find_or_create(action: Action, product: ProductRow, email: str, *, source: str) -> CustomerRow:
    """Return the product's customer of an e-mail; create the customer if there is none.

    Events: none for the product's own customer, ``customer.created`` for a new one, or
    ``customer.updated`` for a customer of another product, who gets this product and no other
    change.

    Raises:
        InvalidValue: the text is no e-mail address.
    """
    email = _checked_email(email)
    known = _lock_holder(action, email, [product])
    if known is None:
        return _make(action, [product], {"email": email, "source": source})
    return known if belongs_to(action.session, known, product) else _admit(action, known, [product])


def edit(action: Action, row: CustomerRow, values: Mapping[str, JSON]) -> CustomerRow:
    """Change fields of a customer: one ``customer.updated``, or nothing.

    Raises:
        Conflict: another customer of one of the products has the e-mail.
        InvalidValue: a value is refused, or no product is left.
        NotFound: a product does not exist.
    """
    session = action.session
    wanted = _wanted(session, values) if "products" in values else None
    old = _lock_belonging(action, row, lambda: wanted or ())
    new = old if wanted is None else wanted
    before = document(session, row)
    assign(row, _columns(action, values))
    for product in new:
        _check_free(session, product, row.email, but=row)
    _belong(session, row, new)
    session.flush()
    after = document(session, row)
    if changed_names(before, after):
        action.touch(row)
        receivers = [*new, *(each for each in old if each not in new)]
        _record(action, "customer.updated", row, receivers, before=before)
    return row


def confirm(action: Action, row: CustomerRow) -> CustomerRow:
    """Mark the e-mail as verified: ``customer.updated``, or nothing if it is verified."""
    return edit(action, row, {"confirmed": True})


def remove(action: Action, row: CustomerRow) -> None:
    """Delete a customer from all products: ``customer.deleted`` to each of them.

    The customer's votes leave the counters of ideas, and requests lose the customer, without an
    event (contract c.3).
    """
    belonging = _lock_belonging(action, row, lambda: _voted_in(action.session, row))
    _record(action, "customer.deleted", row, belonging)
    delete_customers(action.session, select(CustomerRow.id).where(CustomerRow.id == row.id))


def delete_customers(session: Session, customer_ids: Select[str]) -> None:
    """Delete customers and their votes, and subtract these from the counters of ideas.

    This takes as many statements as for one customer. Ideas keep their ``updatedAt``, and no event
    is raised.

    Args:
        session: the session of a transaction.
        customer_ids: selects the ids. A list of ten thousand ids would be too long for a statement.
    """
    theirs = VoteRow.customer_id.in_(customer_ids)
    session.execute(
        update(IdeaRow)
        .where(IdeaRow.id.in_(select(VoteRow.idea_id).where(theirs)))
        .values(
            up_votes=IdeaRow.up_votes - _count(theirs, VoteDirection.UP),
            down_votes=IdeaRow.down_votes - _count(theirs, VoteDirection.DOWN),
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(VoteRow).where(theirs))
    session.execute(
        update(IdeaRequestRow)
        .where(IdeaRequestRow.customer_id.in_(customer_ids))
        .values(customer_id=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(CustomerRow)
        .where(CustomerRow.id.in_(customer_ids))
        .execution_options(synchronize_session=False)
    )
    # The session holds ideas with old counters.
    session.expire_all()


def get(session: Session, product: ProductRow, reference: str) -> CustomerRow:
    """Return the product's customer of an e-mail, an id, or a part of an id.

    Raises:
        NotFound: no customer has it. The hint names the nearest.
        InvalidValue: several customers have it.
    """
    return find(
        session,
        of(product),
        reference,
        what="customer",
        by_id=CustomerRow.id,
        by_name=lambda email: CustomerProductRow.email_key == email_key(email),
        names=lambda: session.scalars(
            select(CustomerProductRow.email_key)
            .where(CustomerProductRow.product_id == product.id)
            .limit(1000)
        ).all(),
    )


def of(product: ProductRow) -> Select[CustomerRow]:
    """Select a product's customers."""
    return (
        select(CustomerRow)
        .join(CustomerProductRow, CustomerProductRow.customer_id == CustomerRow.id)
        .where(CustomerProductRow.product_id == product.id)
    )


def products_of(session: Session, row: CustomerRow) -> Sequence[ProductRow]:
    """Return a customer's products, in the order of the document's list."""
    return session.scalars(
        select(ProductRow)
        .join(CustomerProductRow, CustomerProductRow.product_id == ProductRow.id)
        .where(CustomerProductRow.customer_id == row.id)
        .order_by(CustomerProductRow.position)
    ).all()


def belongs_to(session: Session, row: CustomerRow, product: ProductRow) -> bool:
    """Return whether a customer belongs to a product."""
    return session.get(CustomerProductRow, (row.id, product.id)) is not None


def document(session: Session, row: CustomerRow) -> dict[str, JSON]:
    """Return a customer's values by the document's names; ``wire.payloads`` orders them."""
    return documents(session, [row])[0]


def documents(session: Session, rows: Sequence[CustomerRow]) -> list[dict[str, JSON]]:
    """Return the values of customers, in as many statements as for one."""
    belonging: dict[str, list[JSON]] = {row.id: [] for row in rows}
    found = session.execute(
        select(CustomerProductRow.customer_id, ProductRow)
        .join(ProductRow, ProductRow.id == CustomerProductRow.product_id)
        .where(CustomerProductRow.customer_id.in_(belonging))
        .order_by(CustomerProductRow.position)
    )
    for customer_id, product in found:
        belonging[customer_id].append(product_reference(product))
    return [_values(row, belonging[row.id]) for row in rows]


def _values(row: CustomerRow, belonging: list[JSON]) -> dict[str, JSON]:
    return {
        **{name: getattr(row, column) for name, column in _COLUMNS.items()},
        "_id": row.id,
        "products": belonging,
        "createdAt": print_milliseconds(row.created_at),
        "updatedAt": print_milliseconds(row.updated_at),
    }


def _make(action: Action, wanted: Sequence[ProductRow], values: Mapping[str, JSON]) -> CustomerRow:
    row = new_row(
        CustomerRow,
        id=action.new_id(among=CustomerRow),
        origin_product_id=wanted[0].id,
        public_id=action.ids.public_id(),
        image={},
        source=MANUAL,
        confirmed=False,
        bg_color=action.ids.colour(),
        is_temporary=False,
        devices=[],
        billing_details=[],
        notes=[],
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )
    assign(row, _columns(action, values))
    insert_row(action.session, row)
    _belong(action.session, row, wanted)
    action.session.flush()
    _record(action, "customer.created", row, wanted)
    return row


def _record(
    action: Action,
    event: str,
    row: CustomerRow,
    receivers: Sequence[ProductRow],
    *,
    before: Mapping[str, JSON] | None = None,
) -> None:
    values = document(action.session, row)
    for product in receivers:
        if _gets_events_of(product, row):
            action.record(event, product, values, updated_at=row.updated_at, before=before)


def _gets_events_of(product: ProductRow, row: CustomerRow) -> bool:
    """Return whether a product gets a customer's events (contract d-17)."""
    go_to_all = parse_assumptions(product.assumptions).customer_fanout is CustomerFanout.ALL
    return go_to_all or product.id == row.origin_product_id


def _columns(action: Action, values: Mapping[str, JSON]) -> dict[str, JSON]:
    own = {name: value for name, value in values.items() if name != "products"}
    columns = check_fields(CUSTOMER, own)
    for name in _WITH_IDS:
        if isinstance(entries := columns.get(name), list):
            columns[name] = [
                each if "_id" in each else {"_id": action.new_id(), **each} for each in entries
            ]
    return columns


def _wanted(
    session: Session, values: Mapping[str, JSON], *, first: ProductRow | None = None
) -> list[ProductRow]:
    """Return the named products, each once. A product given as ``first`` comes first."""
    names = values.get("products", [])
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise InvalidValue(f"products is {names!r}.", hint="It has to be a list of products.")
    named = [lookup.product(session, name) for name in names]
    unique = {each.id: each for each in ([first] if first is not None else []) + named}
    if not unique:
        raise InvalidValue(
            "A customer belongs to at least one product.", hint="To delete a customer, use delete."
        )
    return list(unique.values())


def _belong(session: Session, row: CustomerRow, belonging: Sequence[ProductRow]) -> None:
    """Set the products of a customer, in this order."""
    there = {
        each.product_id: each
        for each in session.scalars(
            select(CustomerProductRow).where(CustomerProductRow.customer_id == row.id)
        )
    }
    for position, product in enumerate(belonging):
        entry = there.pop(product.id, None)
        if entry is None:
            entry = CustomerProductRow(customer_id=row.id, product_id=product.id)
            session.add(entry)
        entry.position, entry.email_key = position, email_key(row.email)
    for gone in there.values():
        session.delete(gone)


def _checked_email(email: JSON) -> str:
    return str(check_fields(CUSTOMER, {"email": email})["email"])


def _lock_belonging(
    action: Action, row: CustomerRow, others: Callable[[], Iterable[ProductRow]]
) -> Sequence[ProductRow]:
    """Lock all products of a customer and other products at once; return the customer's."""

    def find() -> tuple[Sequence[ProductRow], Sequence[ProductRow]]:
        belonging = products_of(action.session, row)
        return belonging, (*belonging, *others())

    return action.lock_found(find)


def _lock_holder(action: Action, email: str, wanted: Sequence[ProductRow]) -> CustomerRow | None:
    """Lock products and those of the e-mail's customer, and return this customer.

    A customer of the first product takes precedence over one of other products.
    """

    def find() -> tuple[CustomerRow | None, Sequence[ProductRow]]:
        holder = _with_email(action.session, wanted[0], email)
        holder = holder or _known_elsewhere(action.session, email)
        concerned = () if holder is None else products_of(action.session, holder)
        return holder, (*concerned, *wanted)

    return action.lock_found(find)


def _admit(
    action: Action,
    row: CustomerRow,
    wanted: Sequence[ProductRow],
    values: Mapping[str, JSON] = MappingProxyType({}),
) -> CustomerRow:
    """Add further products to a customer."""
    there = [each for each in products_of(action.session, row) if each not in wanted]
    names: list[JSON] = [each.id for each in (*there, *wanted)]
    return edit(action, row, {**values, "products": names})


def _with_email(session: Session, product: ProductRow, email: str) -> CustomerRow | None:
    return session.scalars(
        of(product).where(CustomerProductRow.email_key == email_key(email))
    ).one_or_none()


def _known_elsewhere(session: Session, email: str) -> CustomerRow | None:
    """Return the oldest customer of an e-mail, of whatever product."""
    return session.scalars(
        select(CustomerRow)
        .join(CustomerProductRow, CustomerProductRow.customer_id == CustomerRow.id)
        .where(CustomerProductRow.email_key == email_key(email))
        .order_by(CustomerRow.id)
        .limit(1)
    ).first()


def _check_free(
    session: Session, product: ProductRow, email: str, *, but: CustomerRow | None
) -> None:
    holder = _with_email(session, product, email)
    if holder is not None and holder is not but:
        raise _taken(product, email)


def _taken(product: ProductRow, email: str) -> Conflict:
    return Conflict(
        f"The product {product.name!r} has a customer {email!r} already.",
        hint="E-mails are unique in a product, whatever their case.",
    )


def _voted_in(session: Session, row: CustomerRow) -> Sequence[ProductRow]:
    voted = select(IdeaRow.product_id).join(VoteRow).where(VoteRow.customer_id == row.id)
    return session.scalars(select(ProductRow).where(ProductRow.id.in_(voted))).all()


def _count(theirs: Any, direction: VoteDirection) -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(VoteRow)
        .where(VoteRow.idea_id == IdeaRow.id)
        .where(theirs)
        .where(VoteRow.direction == direction)
        .scalar_subquery()
    )
