"""Users: the team members of products. They raise no events (contract c.3).

Members of a product get distinct instants of access, one millisecond apart at least. The first
member is the product's owner.
"""

import shlex
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.lookup import find, owner
from leanbe_emitter.domain.validation import check_email, check_fields, check_name
from leanbe_emitter.errors import Conflict, InvalidValue, NotFound
from leanbe_emitter.hints import Hint
from leanbe_emitter.storage.engine.session import fetch, insert_row, new_row
from leanbe_emitter.storage.schema.tables import MembershipRow, ProductRow, UserRow
from leanbe_emitter.wire.payloads.declarations import Declaration
from leanbe_emitter.wire.stringify import JSON, stringify

#: The members of documents that refer to users.
_PEOPLE = ("owner", "assigned")
_LAST_GRANTED = select(func.max(MembershipRow.granted_at)).where(
    MembershipRow.product_id == bindparam("product_id")
)

_TAKEN = (
    select(MembershipRow.user_id)
    .where(MembershipRow.product_id == bindparam("product_id"))
    .where(MembershipRow.email_key == bindparam("email_key"))
)


def create(action: Action, product: ProductRow, *, email: str, first_name: str) -> UserRow:
    """Create a user with access to a product.

    Raises:
        Conflict: a user of that e-mail has access to the product already.
        InvalidValue: the name or the e-mail address is refused.
    """
    row = new_row(
        UserRow,
        id=action.new_id(),
        email=check_email(email),
        first_name=check_name(first_name, what="first name"),
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )
    action.lock(product)
    _check_free(action.session, product, row.email)
    insert_row(action.session, row)
    _admit(action, row, product)
    return row


def grant(action: Action, user: UserRow, product: ProductRow) -> UserRow:
    """Give a user access to a further product. Nothing happens if the user has it.

    Raises:
        Conflict: another user of that e-mail has access to the product.
    """
    action.lock(product)
    if action.session.get(MembershipRow, (product.id, user.id)) is None:
        _check_free(action.session, product, user.email)
        _admit(action, user, product)
    return user


def get(session: Session, product: ProductRow | None, reference: str) -> UserRow:
    """Return the user of an e-mail, an id, or a part of an id; without a product, of any.

    Raises:
        NotFound: no user has it, or no user with access to the product.
        InvalidValue: several users have it.
    """
    if product is None:
        return _find(session, select(UserRow), reference)
    try:
        return _find(session, _of(product), reference)
    except NotFound:
        if not _is_anywhere(session, reference):
            raise
    reference = reference.strip()
    raise NotFound(
        f"The user {reference!r} has no access to the product {product.name!r}.",
        hint=granting(reference, product.name).between("Give it: ", "."),
    )


def granting(reference: str, product: str) -> Hint:
    """Return the hint that says how a user gets access to a product."""
    return Hint(
        call=f"leanbe.users.grant({reference!r}, product={product!r})",
        command=f"leanbe-emitter user grant {reference} --product {shlex.quote(product)}",
        request=f"POST /api/v1/products/{{product}}/users with {stringify({'user': reference})}",
    )


def _find(session: Session, rows: Select[UserRow], reference: str) -> UserRow:
    return find(
        session,
        rows,
        reference,
        what="user",
        by_id=UserRow.id,
        by_name=_has_email,
        names=lambda: [row.email for row in session.scalars(rows)],
    )


def _is_anywhere(session: Session, reference: str) -> bool:
    """Return whether a reference names a user of any product, or several users."""
    try:
        _find(session, select(UserRow), reference)
    except NotFound:
        return False
    except InvalidValue:
        return True
    return True


def listed(session: Session, product: ProductRow) -> Sequence[UserRow]:
    """Return a product's users in the order of their access. The first is the owner."""
    return session.scalars(_of(product).order_by(MembershipRow.granted_at)).all()


def owner_id(session: Session, product: ProductRow) -> str:
    """Return the id of a product's owner. The errors are those of ``owner``."""
    return str(owner(session, product)["_id"])


def _has_email(email: str) -> ColumnElement[bool]:
    members = select(MembershipRow.user_id).where(MembershipRow.email_key == email_key(email))
    return UserRow.id.in_(members)


def columns(
    session: Session, product: ProductRow, resource: Declaration, values: Mapping[str, JSON]
) -> dict[str, JSON]:
    """Check the values of an owned document, and return them for its columns.

    ``owner`` and ``assigned`` name users: they become ``owner_id`` and ``assigned_id``.

    Raises:
        InvalidValue: a name or a value is refused, or ``owner`` is removed.
        NotFound: the product has no such user.
    """
    named = [name for name in _PEOPLE if name in values and name in resource.settable]
    own = {name: value for name, value in values.items() if name not in named}
    people = {f"{name}_id": _user_id(session, product, name, values[name]) for name in named}
    return {**check_fields(resource, own), **people}


def _user_id(session: Session, product: ProductRow, name: str, reference: JSON) -> str | None:
    if reference is not None:
        return get(session, product, str(reference)).id
    if name == "owner":
        raise InvalidValue("owner cannot be removed.", hint="Name another user.")
    return None


def email_key(email: str) -> str:
    """Return an e-mail with its case folded, for comparison."""
    return email.strip().casefold()


def _of(product: ProductRow) -> Select[UserRow]:
    return (
        select(UserRow)
        .join(MembershipRow, MembershipRow.user_id == UserRow.id)
        .where(MembershipRow.product_id == product.id)
    )


def _admit(action: Action, user: UserRow, product: ProductRow) -> None:
    ((last,),) = fetch(action.session, _LAST_GRANTED, product_id=product.id)
    insert_row(
        action.session,
        new_row(
            MembershipRow,
            product_id=product.id,
            user_id=user.id,
            email_key=email_key(user.email),
            # Distinct instants keep the order, even while the clock stands still.
            granted_at=action.now_ms if last is None else max(action.now_ms, last + 1),
        ),
    )


def _check_free(session: Session, product: ProductRow, email: str) -> None:
    if fetch(session, _TAKEN, product_id=product.id, email_key=email_key(email)):
        raise Conflict(
            f"A user {email!r} has access to the product {product.name!r} already.",
            hint="E-mails are unique in a product.",
        )
