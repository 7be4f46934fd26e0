"""What documents refer to, as it is now: customers, ideas, requests, the product; and ``people``.

References in payloads are live (contract c.3): they are looked up when a document is written, for
all documents at once, and are missing where what they name is gone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, Executable, bindparam, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain.user_references import References, user_references
from leanbe_emitter.storage.queries.prepared import found
from leanbe_emitter.storage.schema.document_tables import (
    BacklogItemRow,
    CustomerRow,
    IdeaRequestRow,
    IdeaRow,
)
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.stringify import JSON

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_CUSTOMERS = select(
    CustomerRow.id, CustomerRow.first_name, CustomerRow.last_name, CustomerRow.email
).where(CustomerRow.id.in_(_IDS))
_IDEAS = select(IdeaRow.id, IdeaRow.title).where(IdeaRow.id.in_(_IDS))
_REQUESTS = (
    select(IdeaRequestRow.idea_id, IdeaRequestRow.id, IdeaRequestRow.title)
    .where(IdeaRequestRow.idea_id.in_(_IDS))
    .order_by(IdeaRequestRow.idea_id, IdeaRequestRow.position)
)


def product_reference(product: ProductRow) -> dict[str, JSON]:
    """Return how a document names its product."""
    return {"_id": product.id, "name": product.name}


def people_references(session: Session, rows: Iterable[IdeaRow | BacklogItemRow]) -> References:
    """Return how documents name who owns these, and who they are assigned to, by id."""
    return user_references(
        session, [each for row in rows for each in (row.owner_id, row.assigned_id)]
    )


def customer_reference(row: Any) -> dict[str, JSON]:
    """Return how a document names a customer."""
    return {
        "_id": row.id,
        "firstName": row.first_name,
        "lastName": row.last_name,
        "email": row.email,
    }


def customer_references(session: Session, customer_ids: Iterable[str | None]) -> References:
    """Return how documents name customers, by id."""
    return {row.id: customer_reference(row) for row in _rows(session, _CUSTOMERS, customer_ids)}


def idea_references(session: Session, idea_ids: Iterable[str | None]) -> References:
    """Return how documents name ideas, by id."""
    return {row.id: {"_id": row.id, "title": row.title} for row in _rows(session, _IDEAS, idea_ids)}


def request_references(
    session: Session, idea_ids: Iterable[str], assumptions: AssumptionSet
) -> Mapping[str, list[JSON]]:
    """Return how ideas name their requests, in the order of attaching, by the idea's id.

    The request's id stands under the key that the product reads (contract d-11).
    """
    references: dict[str, list[JSON]] = defaultdict(list)
    key = assumptions.idea_request_ref_key.value
    for idea_id, request_id, title in _rows(session, _REQUESTS, idea_ids):
        references[idea_id].append({key: request_id, "title": title})
    return references


def _rows(session: Session, rows: Executable, ids: Iterable[str | None]) -> Iterable[Any]:
    wanted = {each for each in ids if each is not None}
    return found(session, rows, ids=list(wanted)) if wanted else ()
