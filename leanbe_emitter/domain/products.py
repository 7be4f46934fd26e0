"""Products: owners of webhooks, documents and assumptions. They raise no events (contract c.3).

Only assumptions that somebody set are stored (contract d). ``lookup`` finds a product.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Select, bindparam, delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from leanbe_emitter.domain import users
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.customers import delete_customers
from leanbe_emitter.domain.validation import check_name
from leanbe_emitter.errors import Conflict, InvalidValue
from leanbe_emitter.storage.engine.session import fetch, insert_row, new_row
from leanbe_emitter.storage.engine.sqlite import is_sole_writer
from leanbe_emitter.storage.queries.reset import empty_product
from leanbe_emitter.storage.schema.document_tables import BacklogItemRow, CustomerProductRow
from leanbe_emitter.storage.schema.tables import MembershipRow, ProductRow, UserRow, WebhookRow
from leanbe_emitter.wire.assumptions.catalogue import assumption
from leanbe_emitter.wire.assumptions.parsing import check_assumption
from leanbe_emitter.wire.did_you_mean import any_of, did_you_mean
from leanbe_emitter.wire.payloads.declarations import DEFAULT_STATUSES

#: The first user of a product for which nobody names an owner (contract b.0).
DEFAULT_OWNER = {"email": "owner@example.com", "first_name": "Product Owner"}

_TAKEN = select(ProductRow.id).where(ProductRow.name == bindparam("name"))


def create(
    action: Action,
    name: str,
    *,
    owner: Mapping[str, str] | None = None,
    assume: Mapping[str, str] | None = None,
) -> ProductRow:
    """Create a product with its first user, and without a URL (contract c.1).

    Args:
        action: the action.
        name: unique among products.
        owner: ``email`` and ``first_name`` of the first user.
        assume: assumptions to set. They override those of the action.

    Raises:
        Conflict: a product has that name.
        InvalidValue: the name, the owner or an assumption is refused.
    """
    name = check_name(name, what="product's name")
    owner = _owner(owner or {})
    assumed = {**action.assume, **(assume or {})}
    row = new_row(
        ProductRow,
        id=action.new_id(among=ProductRow),
        name=name,
        assumptions={key: check_assumption(key, value) for key, value in assumed.items()},
        statuses=list(DEFAULT_STATUSES),
        sequence=0,
        last_triggered_at=0,
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )
    with _taking(action.session, name):
        insert_row(action.session, row)
    insert_row(
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


def listed(session: Session) -> Sequence[ProductRow]:
    """Return all products, in the order of their creation."""
    return session.scalars(select(ProductRow).order_by(ProductRow.created_at, ProductRow.id)).all()


def rename(action: Action, product: ProductRow, name: str) -> ProductRow:
    """Give a product another name, which later payloads show (contract c.3).

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
    """Set the statuses of a product's backlog items, in order. A new item has the first.

    Raises:
        InvalidValue: the list is empty, or has a status twice.
        Conflict: a backlog item has a status that is not in the list.
    """
    action.lock(product)
    if isinstance(statuses, str):
        raise InvalidValue(f"{statuses!r} is no list of statuses.", hint="Give a list of texts.")
    names = [check_name(each, what="status") for each in statuses]
    if not names or len(set(names)) < len(names):
        raise InvalidValue(
            f"The statuses {', '.join(names) or '(none)'} cannot be a product's.",
            hint="Give at least one, and each once.",
        )
    used = action.session.scalars(
        select(BacklogItemRow.status)
        .where(BacklogItemRow.product_id == product.id)
        .where(BacklogItemRow.status.not_in(names))
        .distinct()
    ).all()
    if used:
        raise Conflict(
            f"Backlog items of {product.name!r} have the status {any_of(sorted(used))}.",
            hint="Give them another status first, or keep this one.",
        )
    if names != product.statuses:
        product.statuses, product.updated_at = names, action.now_ms
    return product


def set_assumption(action: Action, product: ProductRow, name: str, text: str) -> str:
    """Set an assumption, and return the canonical text of its value.

    Raises:
        InvalidValue: the assumption does not exist, or does not take this value.
    """
    value = check_assumption(name, text)
    action.lock(product)
    _store(action, product, {**product.assumptions, name: value})
    return value


def unset_assumption(action: Action, product: ProductRow, name: str) -> None:
    """Reset an assumption to its default.

    Raises:
        InvalidValue: the assumption does not exist.
    """
    name = assumption(name).name
    action.lock(product)
    rest = {key: value for key, value in product.assumptions.items() if key != name}
    _store(action, product, rest)


def _store(action: Action, product: ProductRow, assumptions: dict[str, str]) -> None:
    if assumptions != product.assumptions:
        product.assumptions, product.updated_at = assumptions, action.now_ms
        action.session.flush()


def remove(action: Action, product: ProductRow) -> None:
    """Delete a product and everything that belongs to it, its queue included; no event (c.3).

    Readers of the journal no longer see the product's events. Retention deletes those entries.
    """
    action.lock(product)
    members = select(MembershipRow.user_id).where(MembershipRow.product_id == product.id)
    # Locked, so that no user gets another product while we look whether they have one.
    candidates = action.session.scalars(
        select(UserRow.id).where(UserRow.id.in_(members)).with_for_update()
    ).all()
    # Before the product's memberships are gone: they say which customers have no other product.
    delete_customers(action.session, _only_here(product))
    action.session.execute(delete(ProductRow).where(ProductRow.id == product.id))
    action.session.execute(
        delete(UserRow)
        .where(UserRow.id.in_(candidates))
        .where(UserRow.id.not_in(select(MembershipRow.user_id)))
    )


def empty(action: Action, product: ProductRow) -> None:
    """Delete a product's documents, events and faults; no event. Its settings stay."""
    action.lock(product)
    delete_customers(action.session, _only_here(product))
    empty_product(action.session, product.id)


def _only_here(product: ProductRow) -> Select[str]:
    """Select the ids of customers who belong to no other product."""
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
    """Let the block take a name. On PostgreSQL, somebody else may take it at the same time."""
    _check_free(session, name)
    if is_sole_writer(session):
        yield
        return
    try:
        with session.begin_nested():
            yield
    except IntegrityError:
        _check_free(session, name)
        raise


def _check_free(session: Session, name: str) -> None:
    if fetch(session, _TAKEN, name=name):
        raise Conflict(
            f"There is a product {name!r} already.", hint="Give another name, or use that one."
        )
