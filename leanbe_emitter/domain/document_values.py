"""Values of documents: their columns, references, what an edit changes, and how events show it.

References are live (contract c.3): they show the present values of their objects. They are looked
up for all documents at once, and are missing if the object was deleted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, Executable, bindparam, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain.lookup import known_users, user_reference
from leanbe_emitter.storage.engine.session import fetch
from leanbe_emitter.storage.schema.document_tables import CustomerRow, IdeaRequestRow, IdeaRow
from leanbe_emitter.storage.schema.tables import ProductRow, UserRow
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.instants import print_milliseconds
from leanbe_emitter.wire.payloads.declarations import snake_case
from leanbe_emitter.wire.payloads.event_payloads import document, document_shape
from leanbe_emitter.wire.stringify import JSON, stringify


def instant_text(milliseconds: int | None) -> str | None:
    """Return the text of a row's instant for a document; None for None."""
    return None if milliseconds is None else print_milliseconds(milliseconds)


def assign(row: Any, values: Mapping[str, JSON]) -> None:
    """Write checked values into a row's columns."""
    for name, value in values.items():
        setattr(row, snake_case(name), value)


def changed_names(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> list[str]:
    """Return the names of the members that differ between two states of a document, in order.

    Without a difference, no event is recorded and ``updatedAt`` stays. The JSON texts are compared,
    because true and 1 are equal in Python and differ in JSON.
    """
    return [
        name
        for name in {**before, **after}
        if name != "updatedAt" and stringify(before.get(name)) != stringify(after.get(name))
    ]


def list_changes(
    resource: str, before: Mapping[str, JSON], after: Mapping[str, JSON], assumptions: AssumptionSet
) -> list[JSON]:
    """Return the ``changes`` of an event, with values as the document shows them (contract d-26).

    Args:
        resource: one of ``wire.payloads.RESOURCES``.
        before: the values before, by the document's names.
        after: the values now, by the document's names.
        assumptions: the product's assumptions, which shape both documents.
    """
    old, new = (document(resource, each, assumptions=assumptions) for each in (before, after))
    order = [field.name for field in document_shape(resource, assumptions).fields]
    return [
        {"field": name, "oldValue": old.get(name), "newValue": new.get(name)}
        for name in sorted(changed_names(old, new), key=order.index)
    ]


References = Mapping[str, dict[str, JSON]]

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_USERS = select(UserRow.id, UserRow.first_name, UserRow.email).where(UserRow.id.in_(_IDS))
_CUSTOMERS = select(
    CustomerRow.id, CustomerRow.first_name, CustomerRow.last_name, CustomerRow.email
).where(CustomerRow.id.in_(_IDS))
_IDEAS = select(IdeaRow.id, IdeaRow.title).where(IdeaRow.id.in_(_IDS))
_REQUESTS = (
    select(IdeaRequestRow.idea_id, IdeaRequestRow.id, IdeaRequestRow.title)
    .where(IdeaRequestRow.idea_id.in_(_IDS))
    .order_by(IdeaRequestRow.idea_id, IdeaRequestRow.position)
)


def user_references(session: Session, user_ids: Iterable[str | None]) -> References:
    """Return the references to users, by their ids.

    Others may be among them: those that this transaction has looked up before.
    """
    known = known_users(session)
    if unknown := {each for each in user_ids if each is not None} - known.keys():
        for row in fetch(session, _USERS, ids=list(unknown)):
            known[row.id] = user_reference(row)
    return known


def product_reference(product: ProductRow) -> dict[str, JSON]:
    """Return the reference to a product."""
    return {"_id": product.id, "name": product.name}


def customer_reference(row: Any) -> dict[str, JSON]:
    """Return the reference to a customer."""
    return {
        "_id": row.id,
        "firstName": row.first_name,
        "lastName": row.last_name,
        "email": row.email,
    }


def customer_references(session: Session, customer_ids: Iterable[str | None]) -> References:
    """Return the references to customers, by their ids."""
    return {row.id: customer_reference(row) for row in _rows(session, _CUSTOMERS, customer_ids)}


def idea_references(session: Session, idea_ids: Iterable[str | None]) -> References:
    """Return the references to ideas, by their ids."""
    return {row.id: {"_id": row.id, "title": row.title} for row in _rows(session, _IDEAS, idea_ids)}


def request_references(
    session: Session, idea_ids: Iterable[str], assumptions: AssumptionSet
) -> Mapping[str, list[JSON]]:
    """Return the references of ideas to their requests, in the order of attaching, by idea id.

    The assumption ``idea_request_ref_key`` names the key of the request's id (contract d-11).
    """
    references: dict[str, list[JSON]] = defaultdict(list)
    key = assumptions.idea_request_ref_key.value
    for idea_id, request_id, title in _rows(session, _REQUESTS, idea_ids):
        references[idea_id].append({key: request_id, "title": title})
    return references


def _rows(session: Session, rows: Executable, ids: Iterable[str | None]) -> Iterable[Any]:
    wanted = {each for each in ids if each is not None}
    return fetch(session, rows, ids=list(wanted)) if wanted else ()
