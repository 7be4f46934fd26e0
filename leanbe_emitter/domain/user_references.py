"""References in documents to users: owners and assigned users.

References are live (contract c.3): they show the present values of their users. This module imports
no document tables, so synthetic events load none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain.lookup import deleted_meanwhile
from leanbe_emitter.storage.engine.session import fetch
from leanbe_emitter.storage.schema.tables import MembershipRow, ProductRow, UserRow
from leanbe_emitter.wire.stringify import JSON

References = Mapping[str, dict[str, JSON]]

# The references that a transaction has looked up, by user and by product. Users never change.
_PEOPLE, _OWNERS = "leanbe_people", "leanbe_owners"
_USERS = select(UserRow.id, UserRow.first_name, UserRow.email).where(
    UserRow.id.in_(bindparam("ids", expanding=True))
)
_FIRST_USER = (
    select(UserRow.id, UserRow.first_name, UserRow.email)
    .join(MembershipRow, MembershipRow.user_id == UserRow.id)
    .where(MembershipRow.product_id == bindparam("product_id"))
    .order_by(MembershipRow.granted_at)
    .limit(1)
)


def user_references(session: Session, user_ids: Iterable[str | None]) -> References:
    """Return the references to users, by their ids: exactly three members (contract b.0).

    Others may be among them: those that this transaction has looked up before.
    """
    known: dict[str, dict[str, JSON]] = session.info.setdefault(_PEOPLE, {})
    if unknown := {each for each in user_ids if each is not None} - known.keys():
        for row in fetch(session, _USERS, ids=list(unknown)):
            known[row.id] = _user_reference(row)
    return known


def owner(session: Session, product: ProductRow) -> dict[str, JSON]:
    """Return the reference to a product's owner, its first user (contract b.0).

    New documents belong to this user unless they name another. A transaction looks it up once, as
    the first user stays the first.

    Raises:
        NotFound: the product was deleted meanwhile. Every existing product has a user.
    """
    owners: dict[str, dict[str, JSON]] = session.info.setdefault(_OWNERS, {})
    people: dict[str, dict[str, JSON]] = session.info.setdefault(_PEOPLE, {})
    if product.id not in owners:
        for row in fetch(session, _FIRST_USER, product_id=product.id):
            owners[product.id] = people[row.id] = _user_reference(row)
    first = owners.get(product.id)
    if first is None:
        raise deleted_meanwhile(f"product {product.name!r}")
    return first


def _user_reference(row: Any) -> dict[str, JSON]:
    return {"_id": row.id, "firstName": row.first_name, "email": row.email}
