"""Backlog items and their statuses on the board (contract b.4, c.2, d-14)."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete
from sqlalchemy.orm import Session

from leanbe_emitter.domain import users
from leanbe_emitter.domain.action import Action, record
from leanbe_emitter.domain.document_values import (
    assign,
    changed_names,
    idea_references,
    product_reference,
    user_references,
)
from leanbe_emitter.domain.validation import require
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.storage.engine.session import insert_row, new_row
from leanbe_emitter.storage.schema.document_tables import BacklogItemRow, IdeaRow
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.assumption_set import Cascade
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.did_you_mean import any_of, did_you_mean
from leanbe_emitter.wire.instants import print_milliseconds
from leanbe_emitter.wire.payloads.declarations import BACKLOG_ITEM
from leanbe_emitter.wire.stringify import JSON


def create(action: Action, product: ProductRow, values: Mapping[str, JSON]) -> BacklogItemRow:
    """Create a backlog item: ``backlogItem.created``.

    Raises:
        InvalidValue: a value is refused, or the title is missing.
        NotFound: a user does not exist.
    """
    action.lock(product)
    require(values, "title")
    row = _new(action, product, owner_id=users.owner_id(action.session, product))
    assign(row, _columns(action, product, values))
    return _add(action, product, row)


def create_from(action: Action, product: ProductRow, idea: IdeaRow) -> BacklogItemRow:
    """Create the backlog item of a promoted idea: ``backlogItem.created``."""
    row = _new(action, product, owner_id=idea.owner_id)
    row.assigned_id, row.idea_id = idea.assigned_id, idea.id
    row.title, row.tags = idea.title, idea.tags
    row.description, row.description_html = idea.description, idea.description_html
    return _add(action, product, row)


def edit(
    action: Action, product: ProductRow, row: BacklogItemRow, values: Mapping[str, JSON]
) -> BacklogItemRow:
    """Change fields, the status, or both. Without a change, nothing happens.

    Events: ``backlogItem.updated`` if anything but the status changes, then
    ``backlogItem.statusChanged`` if the status does; both show the final document.

    Raises:
        InvalidValue: a value is refused, or the product has no such status.
        NotFound: a user does not exist.
    """
    action.lock(product)
    (before,) = documents(action.session, product, [row])
    assign(row, _columns(action, product, values))
    action.session.flush()
    (after,) = documents(action.session, product, [row])
    names = set(changed_names(before, after))
    if not names:
        return row
    action.touch(row)
    action.session.flush()
    if names - {"status"}:
        record(action, "backlogItem.updated", product, row, documents, before=before)
    if "status" in names:
        record(action, "backlogItem.statusChanged", product, row, documents, before=before)
    if names == {"status"} and parse_assumptions(product.assumptions).cascade is Cascade.UPDATED:
        record(action, "backlogItem.updated", product, row, documents, before=before)
    return row


def set_status(
    action: Action, product: ProductRow, row: BacklogItemRow, status: str
) -> BacklogItemRow:
    """Move a backlog item on the board: ``backlogItem.statusChanged``, or nothing.

    Raises:
        InvalidValue: the product has no such status.
    """
    return edit(action, product, row, {"status": status})


def remove(action: Action, product: ProductRow, row: BacklogItemRow) -> None:
    """Delete a backlog item: ``backlogItem.deleted``; its idea stays promoted."""
    action.lock(product)
    record(action, "backlogItem.deleted", product, row, documents)
    action.session.execute(delete(BacklogItemRow).where(BacklogItemRow.id == row.id))


def documents(
    session: Session, product: ProductRow, rows: Sequence[BacklogItemRow]
) -> list[dict[str, JSON]]:
    """Return the values of backlog items, in as many statements as for one."""
    people = user_references(
        session, [each for row in rows for each in (row.owner_id, row.assigned_id)]
    )
    promoted = idea_references(session, [row.idea_id for row in rows])
    return [
        {
            "_id": row.id,
            "owner": people[row.owner_id],
            "assigned": people.get(row.assigned_id or ""),
            "title": row.title,
            "description": row.description,
            "descriptionHTML": row.description_html,
            "tags": row.tags,
            "status": row.status,
            "createdAt": print_milliseconds(row.created_at),
            "updatedAt": print_milliseconds(row.updated_at),
            "product": product_reference(product),
            "idea": promoted.get(row.idea_id or "", _last_known(row)),
        }
        for row in rows
    ]


def _last_known(row: BacklogItemRow) -> JSON:
    """Return the reference to a deleted idea: the one reference that is not live (c.3)."""
    return None if row.idea_id is None else {"_id": row.idea_id, "title": row.idea_title}


def _new(action: Action, product: ProductRow, *, owner_id: str) -> BacklogItemRow:
    return new_row(
        BacklogItemRow,
        id=action.new_id(among=BacklogItemRow),
        product_id=product.id,
        owner_id=owner_id,
        tags=[],
        status=product.statuses[0],
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )


def _add(action: Action, product: ProductRow, row: BacklogItemRow) -> BacklogItemRow:
    insert_row(action.session, row)
    record(action, "backlogItem.created", product, row, documents)
    return row


def _columns(action: Action, product: ProductRow, values: Mapping[str, JSON]) -> dict[str, JSON]:
    columns = users.columns(action.session, product, BACKLOG_ITEM, values)
    if "status" in columns:
        check_status(product, columns["status"])
    return columns


def check_status(product: ProductRow, status: str) -> None:
    """Check that a status is one of the product's.

    Raises:
        InvalidValue: it is not. The hint names the nearest status, and all statuses.
    """
    if status not in product.statuses:
        meant = did_you_mean(status, product.statuses)
        raise InvalidValue(
            f"The product {product.name!r} has no status {status!r}.",
            hint=f"{meant} It has {any_of(product.statuses)}.".lstrip(),
        )
