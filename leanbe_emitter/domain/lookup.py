"""Lookup of objects by a snapshot, a name, an id, or a unique part of an id, and of owners.

ObjectIds of one second begin alike, so output shows their endings. Six digits of either end are
enough if they are unique. A whole id takes precedence over a name, and a name over a part of an id.
This module imports no document tables, so synthetic events load none.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from leanbe_emitter.domain.validation import is_storable
from leanbe_emitter.errors import InvalidValue, NotFound
from leanbe_emitter.hints import CREATE_PRODUCT, Hint
from leanbe_emitter.ids import OBJECT_ID_LENGTH
from leanbe_emitter.storage.engine.session import fetch, load
from leanbe_emitter.storage.schema.tables import DeliveryRow, MembershipRow, ProductRow, UserRow
from leanbe_emitter.wire.did_you_mean import did_you_mean
from leanbe_emitter.wire.stringify import JSON


def deleted_meanwhile(what: str) -> NotFound:
    """Return the error for an object that somebody has deleted since the caller found it."""
    return NotFound(f"The {what} was deleted meanwhile.", hint="Somebody else deleted it.")


#: How many digits a part of an id has at least.
SHORTEST_PART = 6

_BY_PART = f"by at least {SHORTEST_PART} digits of either end"
_ADVICE = f"Name it in full, or {_BY_PART} of its id."
_ADVICE_WITHOUT_NAMES = f"Name it by its id, or {_BY_PART} of that."
_ID_PART = re.compile(rf"[0-9a-f]{{{SHORTEST_PART},{OBJECT_ID_LENGTH}}}")

# What a transaction has looked up.
_PRODUCTS, _USERS, _OWNERS = "leanbe_products", "leanbe_users", "leanbe_owners"
_OF_ID = select(ProductRow).where(ProductRow.id == bindparam("id"))
_OF_NAME = select(ProductRow).where(ProductRow.name == bindparam("name"))
_FIRST_USER = (
    select(UserRow.id, UserRow.first_name, UserRow.email)
    .join(MembershipRow, MembershipRow.user_id == UserRow.id)
    .where(MembershipRow.product_id == bindparam("product_id"))
    .order_by(MembershipRow.granted_at)
    .limit(1)
)
#: How many names a message shows.
_SHOWN = 3
_NAME_ONE = Hint(
    call="Name one: product=...", command="Name one with --product.", request="Name one."
)

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Identified:
    """A snapshot that has an id. Every method that takes the id takes the snapshot, too."""

    id: str


def reference_text(reference: Identified | str) -> str:
    """Return the text of a reference: for a snapshot, its id.

    Raises:
        InvalidValue: it is neither a text nor a snapshot with an id.
    """
    text = reference.id if isinstance(reference, Identified) else reference
    if not isinstance(text, str):
        raise InvalidValue(
            f"{reference!r} names nothing.",
            hint="Give the object itself, its id, or at least 6 digits of either end of the id.",
        )
    return text


def find(  # noqa: PLR0913 - the rows, the reference, and the words of the errors
    session: Session,
    rows: Select[Row],
    reference: str,
    *,
    what: str,
    by_id: InstrumentedAttribute[str],
    by_name: Callable[[str], ColumnElement[bool]] | None = None,
    names: Callable[[], Sequence[str]] = list,
) -> Row:
    """Return the one row that a reference names.

    Args:
        session: the session of a transaction.
        rows: the selection of rows to search.
        reference: a name, an id, or a part of an id, which may begin with ``…`` as in output.
        what: the kind of object, for messages.
        by_id: the column of the ids.
        by_name: returns the condition of a match by name, if the objects have names.
        names: returns the existing names, for a hint with the nearest.

    Raises:
        NotFound: no row matches.
        InvalidValue: several rows match.
    """
    reference = reference.strip()
    for condition in _conditions(reference, by_id, by_name):
        matching = session.scalars(rows.where(condition).limit(2)).all()
        if matching:
            return _only(matching, reference, what)
    advice = _ADVICE if by_name else _ADVICE_WITHOUT_NAMES
    hint = did_you_mean(reference, names()) or advice
    raise NotFound(f"There is no {what} {reference!r}.", hint=hint)


def find_by_whole_id(
    session: Session, statement: Select[Row], reference: str, **values: str
) -> Row | None:
    """Return the row whose whole id is the reference; None if there is no such row.

    This is faster than ``find``, whose statements are compiled at each call.

    Args:
        session: the session of a transaction.
        statement: a constant that selects the row of the parameter ``id``.
        reference: a text that may be an id.
        values: the statement's other parameters.
    """
    if len(reference) != OBJECT_ID_LENGTH or _ID_PART.fullmatch(reference) is None:
        return None
    return next(iter(load(session, statement, id=reference, **values)), None)


def product(session: Session, reference: Identified | str | None) -> ProductRow:
    """Return the product of a snapshot, a name, an id, or a part of an id; None: the only product.

    Raises:
        NotFound: no product has it.
        InvalidValue: several products have it.
    """
    if reference is None:
        return _only_product(session)
    text = reference_text(reference)
    row = find_by_whole_id(session, _OF_ID, text)
    if row is None and is_storable(text):
        row = next(iter(load(session, _OF_NAME, name=text)), None)
    return row or find(
        session,
        select(ProductRow),
        text,
        what="product",
        by_id=ProductRow.id,
        by_name=lambda name: ProductRow.name == name,
        names=lambda: session.scalars(select(ProductRow.name)).all(),
    )


def cached_product(session: Session, reference: str) -> ProductRow:
    """Do the same as ``product``, for callers that repeat it within a transaction."""
    # The session itself keeps no row that nobody else refers to.
    rows: dict[str, ProductRow] = session.info.setdefault(_PRODUCTS, {})
    row = rows.get(reference)
    if row is None or row not in session or reference not in {row.id, row.name}:
        row = rows[reference] = product(session, reference)
    return row


def delivery(session: Session, reference: Identified | str) -> DeliveryRow:
    """Return the delivery of a snapshot, an id, or a part of an id.

    Raises:
        NotFound: no delivery has it.
        InvalidValue: several deliveries have it.
    """
    text = reference_text(reference)
    return find(session, select(DeliveryRow), text, what="delivery", by_id=DeliveryRow.id)


def _only_product(session: Session) -> ProductRow:
    """Return the only product of the database; an error says that there is none, or several."""
    rows = session.scalars(select(ProductRow).order_by(ProductRow.name).limit(_SHOWN + 1)).all()
    if not rows:
        hint = CREATE_PRODUCT.between("Create one: ", ".")
        raise NotFound("There is no product yet.", hint=hint)
    if len(rows) > 1:
        names = ", ".join(repr(row.name) for row in rows[:_SHOWN])
        more = ", ..." if len(rows) > _SHOWN else ""
        raise InvalidValue(f"There are several products: {names}{more}.", hint=_NAME_ONE)
    return rows[0]


def owner(session: Session, product: ProductRow) -> dict[str, JSON]:
    """Return the reference to a product's owner, its first user (contract b.0).

    New documents belong to this user unless they name another. A transaction looks it up once, as
    the first user stays the first.

    Raises:
        NotFound: the product was deleted meanwhile. Every existing product has a user.
    """
    owners: dict[str, dict[str, JSON]] = session.info.setdefault(_OWNERS, {})
    if product.id not in owners:
        for row in fetch(session, _FIRST_USER, product_id=product.id):
            owners[product.id] = known_users(session)[row.id] = user_reference(row)
    first = owners.get(product.id)
    if first is None:
        raise deleted_meanwhile(f"product {product.name!r}")
    return first


def known_users(session: Session) -> dict[str, dict[str, JSON]]:
    """Return the references to users, which never change, that a transaction has looked up."""
    known: dict[str, dict[str, JSON]] = session.info.setdefault(_USERS, {})
    return known


def user_reference(row: Any) -> dict[str, JSON]:
    """Return the reference to a user: exactly three members (contract b.0)."""
    return {"_id": row.id, "firstName": row.first_name, "email": row.email}


def _conditions(
    reference: str,
    by_id: InstrumentedAttribute[str],
    by_name: Callable[[str], ColumnElement[bool]] | None,
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of a match, the strongest first."""
    part = reference.removeprefix("…").lower()
    is_part = _ID_PART.fullmatch(part) is not None
    if is_part and len(part) == OBJECT_ID_LENGTH:
        yield by_id == part
    # A text that no database can store must not reach a statement.
    if by_name is not None and is_storable(reference):
        yield by_name(reference)
    if is_part:
        yield or_(by_id.startswith(part), by_id.endswith(part))


def _only(rows: Sequence[Row], reference: str, what: str) -> Row:
    if len(rows) > 1:
        raise InvalidValue(
            f"{reference!r} names more than one {what}.", hint="Give more of its id."
        )
    return rows[0]
