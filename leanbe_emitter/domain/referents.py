"""What documents refer to, as it is now: users, customers, ideas, requests, the product.

References in payloads are live (contract c.3): they are looked up when a document is written, for
all documents at once, and are missing where what they name is gone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from leanbe_emitter.storage.documents import CustomerRow, IdeaRequestRow, IdeaRow
from leanbe_emitter.storage.tables import ProductRow, UserRow
from leanbe_emitter.wire.reading import Reading
from leanbe_emitter.wire.stringify import JSON

References = Mapping[str, dict[str, JSON]]


def product_reference(product: ProductRow) -> dict[str, JSON]:
    """Return how a document names its product."""
    return {"_id": product.id, "name": product.name}


def user_references(session: Session, user_ids: Iterable[str | None]) -> References:
    """Return how documents name users, by id: exactly these three (contract b.0)."""
    return {
        row.id: {"_id": row.id, "firstName": row.first_name, "email": row.email}
        for row in _rows(session, UserRow, user_ids)
    }


def customer_reference(row: CustomerRow) -> dict[str, JSON]:
    """Return how a document names a customer."""
    return {
        "_id": row.id,
        "firstName": row.first_name,
        "lastName": row.last_name,
        "email": row.email,
    }


def customer_references(session: Session, customer_ids: Iterable[str | None]) -> References:
    """Return how documents name customers, by id."""
    return {row.id: customer_reference(row) for row in _rows(session, CustomerRow, customer_ids)}


def idea_references(session: Session, idea_ids: Iterable[str | None]) -> References:
    """Return how documents name ideas, by id."""
    return {
        row.id: {"_id": row.id, "title": row.title} for row in _rows(session, IdeaRow, idea_ids)
    }


def request_references(
    session: Session, idea_ids: Iterable[str], reading: Reading
) -> Mapping[str, list[JSON]]:
    """Return how ideas name their requests, in the order of attaching, by the idea's id.

    The request's id stands under the key that the product reads (contract d-11).
    """
    found: dict[str, list[JSON]] = defaultdict(list)
    rows = session.execute(
        select(IdeaRequestRow.idea_id, IdeaRequestRow.id, IdeaRequestRow.title)
        .where(IdeaRequestRow.idea_id.in_(set(idea_ids)))
        .order_by(IdeaRequestRow.idea_id, IdeaRequestRow.position)
    )
    key = reading.idea_request_ref_key.value
    for idea_id, request_id, title in rows:
        found[str(idea_id)].append({key: request_id, "title": title})
    return found


def _rows(session: Session, table: Any, ids: Iterable[str | None]) -> Iterable[Any]:
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return ()
    return session.scalars(select(table).where(table.id.in_(wanted))).all()
