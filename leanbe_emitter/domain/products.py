"""Products: what webhook settings belong to. No event tells of them (contract c.3).

How one is found stands in ``named_products``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Select, bindparam, delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from leanbe_emitter.domain import users
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.forgetting import forget_customers
from leanbe_emitter.domain.texts import check_name
from leanbe_emitter.errors import Conflict, InvalidValue
from leanbe_emitter.storage.engine.writer_lock import is_alone
from leanbe_emitter.storage.queries.prepared import found, new_row, write_new
from leanbe_emitter.storage.queries.reset import empty_product
from leanbe_emitter.storage.schema.document_tables import BacklogItemRow, CustomerProductRow
from leanbe_emitter.storage.schema.tables import MembershipRow, ProductRow, UserRow, WebhookRow
from leanbe_emitter.wire.assumptions.parsing import check_assumption
from leanbe_emitter.wire.payloads.field_rules import DEFAULT_STATUSES
from leanbe_emitter.wire.suggestions import any_of, did_you_mean

#: Who owns a product where nobody else is named (contract b.0).
DEFAULT_OWNER = {"email": "owner@example.com", "first_name": "Product Owner"}

_TAKEN = select(ProductRow.id).where(ProductRow.name == bindparam("name"))


def create(
    action: Action,
    name: str,
    *,
    owner: Mapping[str, str] | None = None,
    assume: Mapping[str, str] | None = None,
) -> ProductRow:
    """Make a product, with its first user and without a URL (contract c.1).

    Args:
        action: the action.
        name: unique among products.
        owner: ``email`` and ``first_name`` of its first user.
        assume: assumptions to set, over those that the action brings.

    Raises:
        Conflict: there is a product of that name.
        InvalidValue: a name, an owner or an assumption that is refused.
    """
    name = check_name(name, what="product's name")
    owner = _owner(owner or {})
    row = new_row(
        ProductRow,
        id=action.new_id(among=ProductRow),
        name=name,
        assumptions={
            key: check_assumption(key, value) for key, value in _assumed(action, assume).items()
        },
        statuses=list(DEFAULT_STATUSES),
        sequence=0,
        last_triggered_at=0,
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )
    with _taking(action.session, name):
        write_new(action.session, row)
    write_new(
        action.session,
        new_row(
            WebhookRow,
            product_id=row.id,
            headers=[],
            insecure=False,
            created_at=action.now_ms,
            updated_at=action.now_ms,
        ),
    )
    users.create(action, row, **owner)
    return row


def _owner(given: Mapping[str, str]) -> dict[str, str]:
    for name in given:
        if name not in DEFAULT_OWNER:
            raise InvalidValue(
                f"An owner has no {name!r}.",
                hint=did_you_mean(name, DEFAULT_OWNER) or f"It has {any_of(DEFAULT_OWNER)}.",
            )
    return {**DEFAULT_OWNER, **given}


def _assumed(action: Action, assume: Mapping[str, str] | None) -> dict[str, str]:
    return {**action.assume, **(assume or {})}


def listed(session: Session) -> Sequence[ProductRow]:
    """Return all products, in the order of their creation."""
    return session.scalars(select(ProductRow).order_by(ProductRow.created_at, ProductRow.id)).all()


def rename(action: Action, product: ProductRow, name: str) -> ProductRow:
    """Give a product another name; later payloads show it (contract c.3).

    Raises:
        Conflict: another product has that name.
        InvalidValue: the name is refused.
    """
    name = check_name(name, what="product's name")
    action.lock(product)
    if name != product.name:
        with _taking(action.session, name):
            product.name, product.updated_at = name, action.now_ms
    return product


def set_statuses(action: Action, product: ProductRow, statuses: Sequence[str]) -> ProductRow:
    """Set what a backlog item's status can be, in order; the first is where an item begins.

    Raises:
        InvalidValue: there is none, or one twice.
        Conflict: a backlog item has a status that is not in the list.
    """
    action.lock(product)
    if isinstance(statuses, str):
        raise InvalidValue(f"{statuses!r} is no list of statuses.", hint="Give a list of texts.")
    names = [check_name(each, what="status") for each in statuses]
    if not names or len(set(names)) < len(names):
        raise InvalidValue(
            f"The statuses {', '.join(names) or '(none)'} cannot be a product's.",
            hint="Give one at least, and each once.",
        )
    used = action.session.scalars(
        select(BacklogItemRow.status)
        .where(BacklogItemRow.product_id == product.id)
        .where(BacklogItemRow.status.not_in(names))
        .distinct()
    ).all()
    if used:
        raise Conflict(
            f"Backlog items of {product.name!r} are {any_of(sorted(used))}.",
            hint="Move them first, or keep that status.",
        )
    if names != product.statuses:
        product.statuses, product.updated_at = names, action.now_ms
    return product


def remove(action: Action, product: ProductRow) -> None:
    """Delete a product and all that hangs on it, what is queued included; no event (c.3).

    What the journal tells of its events is told to nobody any more, and goes with retention.
    """
    action.lock(product)
    members = select(MembershipRow.user_id).where(MembershipRow.product_id == product.id)
    # Locked, so that nobody is given another product while it is seen whether they have one.
    candidates = action.session.scalars(
        select(UserRow.id).where(UserRow.id.in_(members)).with_for_update()
    ).all()
    # While it is still seen who belongs to no other product.
    forget_customers(action.session, _only_here(product))
    action.session.execute(delete(ProductRow).where(ProductRow.id == product.id))
    action.session.execute(
        delete(UserRow)
        .where(UserRow.id.in_(candidates))
        .where(UserRow.id.not_in(select(MembershipRow.user_id)))
    )


def empty(action: Action, product: ProductRow) -> None:
    """Delete what a product has, faults meant for it too; no event. Its settings stay."""
    action.lock(product)
    forget_customers(action.session, _only_here(product))
    empty_product(action.session, product.id)


def _only_here(product: ProductRow) -> Select[str]:
    """Return the selection of the ids of customers who belong to no other product."""
    other = aliased(CustomerProductRow)
    return (
        select(CustomerProductRow.customer_id)
        .where(CustomerProductRow.product_id == product.id)
        .where(
            ~exists()
            .where(other.customer_id == CustomerProductRow.customer_id)
            .where(other.product_id != product.id)
        )
    )


@contextmanager
def _taking(session: Session, name: str) -> Iterator[None]:
    """Write what the block does, which takes a name: on PostgreSQL somebody may be faster."""
    _check_free(session, name)
    if is_alone(session):
        yield
        return
    try:
        with session.begin_nested():
            yield
    except IntegrityError:
        _check_free(session, name)
        raise


def _check_free(session: Session, name: str) -> None:
    if found(session, _TAKEN, name=name):
        raise Conflict(
            f"There is a product {name!r} already.", hint="Give another name, or use that one."
        )
