"""How documents name users: the people that own them, or are to do something about them.

References in payloads are live (contract c.3): they are looked up when a document is written. This
needs no document's table, so that who makes synthetic events loads none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain.references import deleted_meanwhile
from leanbe_emitter.storage.queries.prepared import found
from leanbe_emitter.storage.schema.tables import MembershipRow, ProductRow, UserRow
from leanbe_emitter.wire.stringify import JSON

References = Mapping[str, dict[str, JSON]]

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
    """Return how documents name users, by id: exactly these three (contract b.0)."""
    known = _people(session)
    wanted = {each for each in user_ids if each is not None}
    if unknown := wanted - known.keys():
        for row in found(session, _USERS, ids=list(unknown)):
            known[row.id] = _user_reference(row)
    return {each: known[each] for each in wanted & known.keys()}


def owner(session: Session, product: ProductRow) -> dict[str, JSON]:
    """Return who owns what is made in a product where nobody is named, as documents name users.

    Contract b.0. A transaction looks it up once: nobody comes to a product before its first user.

    Raises:
        NotFound: the product was deleted meanwhile: while it is there, it has a user.
    """
    owners: dict[str, dict[str, JSON]] = session.info.setdefault(_OWNERS, {})
    if product.id not in owners:
        for row in found(session, _FIRST_USER, product_id=product.id):
            owners[product.id] = _people(session)[row.id] = _user_reference(row)
    first = owners.get(product.id)
    if first is None:
        raise deleted_meanwhile(f"product {product.name!r}")
    return first


def _people(session: Session) -> dict[str, dict[str, JSON]]:
    """Return the users that a transaction has named, by id: nothing ever changes them."""
    people: dict[str, dict[str, JSON]] = session.info.setdefault(_PEOPLE, {})
    return people


def _user_reference(row: Any) -> dict[str, JSON]:
    return {"_id": row.id, "firstName": row.first_name, "email": row.email}
