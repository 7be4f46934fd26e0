"""Idea requests of customers (contract b.3, c.2).

new --attach(idea)--> attached   (new again only if its idea is deleted)
new --ignore--------> ignored    (for good)
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain import customers
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.document_values import (
    assign,
    customer_references,
    idea_references,
    product_reference,
)
from leanbe_emitter.domain.lookup import find
from leanbe_emitter.domain.validation import check_fields, is_storable, require
from leanbe_emitter.errors import Conflict
from leanbe_emitter.storage.engine.session import insert_row, new_row
from leanbe_emitter.storage.schema.document_tables import CustomerRow, IdeaRequestRow, IdeaRow
from leanbe_emitter.storage.schema.states import RequestStatus
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.instants import print_milliseconds
from leanbe_emitter.wire.payloads.declarations import IDEA_REQUEST
from leanbe_emitter.wire.stringify import JSON


def create(action: Action, product: ProductRow, values: Mapping[str, JSON]) -> IdeaRequestRow:
    """Create a request.

    Events: ``ideaRequest.created``. If ``customer`` is the e-mail of no customer of the product,
    ``customer.created`` comes first, or ``customer.updated`` for a customer of another product.

    Raises:
        InvalidValue: a value is refused, or the title is missing.
        NotFound: ``customer`` names no customer, and is no e-mail.
    """
    require(values, "title")
    own = {name: value for name, value in values.items() if name != "customer"}
    columns = check_fields(IDEA_REQUEST, own)
    source = str(columns.get("source") or customers.MANUAL)
    # This also locks the customer's products, in the order of their ids.
    customer = _customer(action, product, values.get("customer"), source=source)
    row = new_row(
        IdeaRequestRow,
        id=action.new_id(among=IdeaRequestRow),
        product_id=product.id,
        customer_id=None if customer is None else customer.id,
        status=RequestStatus.NEW,
        source=source,
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )
    assign(row, columns)
    insert_row(action.session, row)
    _record(action, "ideaRequest.created", product, [row])
    return row


def get(session: Session, product: ProductRow, reference: str) -> IdeaRequestRow:
    """Return the product's request of an id, or of a part of an id.

    Raises:
        NotFound: no request has it.
        InvalidValue: several have it.
    """
    return find(session, of(product), reference, what="idea request", by_id=IdeaRequestRow.id)


def get_all(
    session: Session, product: ProductRow, references: Sequence[str]
) -> list[IdeaRequestRow]:
    """Return the request of each reference. One statement finds those of all whole ids.

    Raises:
        NotFound: a reference matches no request.
        InvalidValue: a reference matches several.
    """
    if not references:
        return []
    # A text that no database can store must not reach a statement.
    held = set(filter(is_storable, references))
    whole = session.scalars(of(product).where(IdeaRequestRow.id.in_(held)))
    by_id = {row.id: row for row in whole}
    return [by_id.get(each) or get(session, product, each) for each in references]


def of(product: ProductRow) -> Select[IdeaRequestRow]:
    """Select a product's requests."""
    return select(IdeaRequestRow).where(IdeaRequestRow.product_id == product.id)


def ignore(action: Action, product: ProductRow, row: IdeaRequestRow) -> IdeaRequestRow:
    """Ignore a request for good: ``ideaRequest.ignored``.

    Raises:
        Conflict: the request is not new.
    """
    action.lock(product)
    _require_new(row)
    row.status = RequestStatus.IGNORED
    action.touch(row)
    action.session.flush()
    _record(action, "ideaRequest.ignored", product, [row])
    return row


def attach_all(action: Action, rows: Sequence[IdeaRequestRow], idea: IdeaRow) -> None:
    """Attach new requests to an idea, behind those that it has; no event.

    Raises:
        Conflict: a request is not new.
    """
    for row in rows:
        _require_new(row)
    if len({row.id for row in rows}) < len(rows):
        raise Conflict("A request is attached twice.", hint="Name each request once.")
    last = action.session.scalar(
        select(func.max(IdeaRequestRow.position)).where(IdeaRequestRow.idea_id == idea.id)
    )
    for position, row in enumerate(rows, 1 if last is None else last + 1):
        row.status, row.idea_id, row.position = RequestStatus.ATTACHED, idea.id, position
        action.touch(row)
    action.session.flush()


def record_attached(action: Action, product: ProductRow, rows: Sequence[IdeaRequestRow]) -> None:
    """Add ``ideaRequest.attachedToIdea`` for each of the requests."""
    _record(action, "ideaRequest.attachedToIdea", product, rows)


def documents(
    session: Session, product: ProductRow, rows: Sequence[IdeaRequestRow]
) -> list[dict[str, JSON]]:
    """Return the values of requests, in as many statements as for one."""
    asking = customer_references(session, [row.customer_id for row in rows])
    attached = idea_references(session, [row.idea_id for row in rows])
    return [
        {
            "_id": row.id,
            "customer": asking.get(row.customer_id or ""),
            "title": row.title,
            "description": row.description,
            "descriptionHTML": row.description_html,
            "status": row.status.value,
            "source": row.source,
            "createdAt": print_milliseconds(row.created_at),
            "updatedAt": print_milliseconds(row.updated_at),
            "product": product_reference(product),
            "idea": attached.get(row.idea_id or ""),
        }
        for row in rows
    ]


def _record(
    action: Action, event: str, product: ProductRow, rows: Sequence[IdeaRequestRow]
) -> None:
    for row, values in zip(rows, documents(action.session, product, rows), strict=True):
        action.record(event, product, values, updated_at=row.updated_at)


def _require_new(row: IdeaRequestRow) -> None:
    if row.status is not RequestStatus.NEW:
        raise Conflict(
            f"The request {row.title!r} is {row.status} already.",
            hint="Only new requests are attached or ignored.",
        )


def _customer(
    action: Action, product: ProductRow, reference: JSON, *, source: str
) -> CustomerRow | None:
    if isinstance(reference, str) and "@" in reference:
        return customers.find_or_create(action, product, reference, source=source)
    action.lock(product)
    if reference is None:
        return None
    return customers.get(action.session, product, str(reference))
