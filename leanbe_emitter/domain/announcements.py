"""Announcements: drafts and published ones (contract b.6, c.2).

    draft <--publish / unpublish--> published

Publishing has no event of its own: it raises ``announcement.updated``.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete
from sqlalchemy.orm import Session

from leanbe_emitter.domain import users
from leanbe_emitter.domain.action import Action, changing, record
from leanbe_emitter.domain.document_values import (
    assign,
    instant_text,
    product_reference,
    user_references,
)
from leanbe_emitter.domain.validation import require
from leanbe_emitter.storage.engine.session import insert_row, new_row
from leanbe_emitter.storage.schema.document_tables import AnnouncementRow
from leanbe_emitter.storage.schema.states import AnnouncementStatus
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.instants import print_milliseconds
from leanbe_emitter.wire.payloads.declarations import ANNOUNCEMENT
from leanbe_emitter.wire.stringify import JSON


def create(action: Action, product: ProductRow, values: Mapping[str, JSON]) -> AnnouncementRow:
    """Create an announcement, as a draft or published: ``announcement.created``.

    Raises:
        InvalidValue: a value is refused, or the title is missing.
        NotFound: the owner does not exist.
    """
    action.lock(product)
    require(values, "title")
    row = new_row(
        AnnouncementRow,
        id=action.new_id(among=AnnouncementRow),
        product_id=product.id,
        owner_id=users.owner_id(action.session, product),
        categories=[],
        status=AnnouncementStatus.DRAFT,
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )
    _write(action, product, row, values)
    insert_row(action.session, row)
    record(action, "announcement.created", product, row, documents)
    return row


def edit(
    action: Action, product: ProductRow, row: AnnouncementRow, values: Mapping[str, JSON]
) -> AnnouncementRow:
    """Change fields, publish or unpublish: one ``announcement.updated``, or nothing.

    Raises:
        InvalidValue: a value is refused.
        NotFound: the owner does not exist.
    """
    with changing(action, "announcement.updated", product, row, documents):
        _write(action, product, row, values)
    return row


def publish(action: Action, product: ProductRow, row: AnnouncementRow) -> AnnouncementRow:
    """Publish an announcement: ``announcement.updated``, or nothing if it is published."""
    return edit(action, product, row, {"status": AnnouncementStatus.PUBLISHED.value})


def unpublish(action: Action, product: ProductRow, row: AnnouncementRow) -> AnnouncementRow:
    """Make an announcement a draft: ``announcement.updated``, or nothing if it is one."""
    return edit(action, product, row, {"status": AnnouncementStatus.DRAFT.value})


def remove(action: Action, product: ProductRow, row: AnnouncementRow) -> None:
    """Delete an announcement: ``announcement.deleted`` with its last state."""
    action.lock(product)
    record(action, "announcement.deleted", product, row, documents)
    action.session.execute(delete(AnnouncementRow).where(AnnouncementRow.id == row.id))


def documents(
    session: Session, product: ProductRow, rows: Sequence[AnnouncementRow]
) -> list[dict[str, JSON]]:
    """Return the values of announcements, in as many statements as for one."""
    people = user_references(session, [row.owner_id for row in rows])
    return [
        {
            "_id": row.id,
            "owner": people[row.owner_id],
            "title": row.title,
            "description": row.description,
            "descriptionHTML": row.description_html,
            "categories": row.categories,
            "status": row.status.value,
            "publishedAt": instant_text(row.published_at),
            "createdAt": print_milliseconds(row.created_at),
            "updatedAt": print_milliseconds(row.updated_at),
            "product": product_reference(product),
        }
        for row in rows
    ]


def _write(
    action: Action, product: ProductRow, row: AnnouncementRow, values: Mapping[str, JSON]
) -> None:
    columns = users.columns(action.session, product, ANNOUNCEMENT, values)
    if "status" in columns:
        _set_status(action, row, AnnouncementStatus(str(columns.pop("status"))))
    assign(row, columns)


def _set_status(action: Action, row: AnnouncementRow, status: AnnouncementStatus) -> None:
    if row.status is not status:
        row.status = status
        row.published_at = action.now_ms if status is AnnouncementStatus.PUBLISHED else None
