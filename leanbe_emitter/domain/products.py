"""Products: what webhook settings belong to. No event tells of them (contract c.3)."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain import users
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.references import find
from leanbe_emitter.domain.texts import check_name
from leanbe_emitter.errors import Conflict, InvalidValue, NotFound
from leanbe_emitter.storage.tables import JournalRow, MembershipRow, ProductRow, UserRow, WebhookRow
from leanbe_emitter.wire.assumptions import check

#: Who owns a product where nobody else is named (contract b.0).
DEFAULT_OWNER = {"email": "owner@example.com", "first_name": "Product Owner"}


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
        InvalidValue: a name or an assumption that is refused.
    """
    name = check_name(name, what="product's name")
    _check_free(action.session, name)
    row = ProductRow(
        id=action.new_id(),
        name=name,
        assumptions={key: check(key, value) for key, value in _assumed(action, assume).items()},
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )
    action.session.add(row)
    action.session.flush()
    action.session.add(
        WebhookRow(
            product_id=row.id, headers=[], created_at=action.now_ms, updated_at=action.now_ms
        )
    )
    users.create(action, row, **{**DEFAULT_OWNER, **(owner or {})})
    return row


def _assumed(action: Action, assume: Mapping[str, str] | None) -> dict[str, str]:
    return {**action.assume, **(assume or {})}


def get(session: Session, reference: str) -> ProductRow:
    """Return the product of that name, id, or part of an id.

    Raises:
        NotFound: there is none.
        InvalidValue: there are several.
    """
    return find(
        session,
        select(ProductRow),
        reference,
        what="product",
        by_id=ProductRow.id,
        by_name=ProductRow.name == reference,
        names=lambda: session.scalars(select(ProductRow.name)).all(),
    )


def only(session: Session) -> ProductRow:
    """Return the one product there is.

    Raises:
        NotFound: there is none.
        InvalidValue: there are several, so that one must be named.
    """
    rows = session.scalars(select(ProductRow).order_by(ProductRow.name).limit(4)).all()
    if not rows:
        raise NotFound(
            "There is no product yet.", hint="Create one: leanbe-emitter product create NAME."
        )
    if len(rows) > 1:
        raise InvalidValue(
            f"There are several products ({', '.join(row.name for row in rows[:3])}...).",
            hint="Name one with --product.",
        )
    return rows[0]


def listed(session: Session) -> Sequence[ProductRow]:
    """Return all products, in the order of their creation."""
    return session.scalars(select(ProductRow).order_by(ProductRow.id)).all()


def rename(action: Action, product: ProductRow, name: str) -> ProductRow:
    """Give a product another name; later payloads show it (contract c.3).

    Raises:
        Conflict: another product has that name.
    """
    name = check_name(name, what="product's name")
    if name != product.name:
        _check_free(action.session, name)
        product.name, product.updated_at = name, action.now_ms
    return product


def remove(action: Action, product: ProductRow) -> None:
    """Delete a product and all that hangs on it, what is queued included; no event (c.3)."""
    members = select(MembershipRow.user_id).where(MembershipRow.product_id == product.id)
    candidates = action.session.scalars(members).all()
    action.session.execute(delete(JournalRow).where(JournalRow.product_id == product.id))
    action.session.execute(delete(ProductRow).where(ProductRow.id == product.id))
    action.session.execute(
        delete(UserRow)
        .where(UserRow.id.in_(candidates))
        .where(UserRow.id.not_in(select(MembershipRow.user_id)))
    )


def _check_free(session: Session, name: str) -> None:
    if session.scalar(select(ProductRow.id).where(ProductRow.name == name)) is not None:
        raise Conflict(
            f"There is a product {name!r} already.", hint="Give another name, or use that one."
        )
