"""``product.backlog_items``: planned work and its status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from leanbe_emitter.domain import backlog_items, ideas, users
from leanbe_emitter.library.documents.document_snapshot import (
    Document,
    IdeaReference,
    ProductReference,
    UserReference,
)
from leanbe_emitter.library.documents.ideas import IdeaRef
from leanbe_emitter.library.documents.resources import Kind, Resource, refers_to
from leanbe_emitter.library.documents.users import UserRef
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.storage.schema.document_tables import BacklogItemRow
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.payloads.declarations import BACKLOG_ITEM


@dataclass(frozen=True, kw_only=True)
class BacklogItem(Document):
    """A backlog item.

    Attributes:
        tags: the titles of the tags.
        status: one of the product's statuses.
        idea: the idea that it was promoted from; a deleted idea keeps its last title.
    """

    owner: UserReference
    assigned: UserReference | None
    title: str
    description: str | None
    description_html: str | None
    tags: tuple[str, ...]
    status: str
    product: ProductReference
    idea: IdeaReference | None


#: A backlog item is named by a snapshot, the id, or a part of the id.
BacklogItemRef = BacklogItem | str


class BacklogItemFields(TypedDict, total=False):
    """The settable fields of a backlog item; None removes an optional value.

    A description without ``description_html`` gets HTML. Tags are texts, or objects with a
    ``title``. The status is one of ``product.statuses``.
    """

    owner: UserRef
    assigned: UserRef | None
    title: str
    description: str | None
    description_html: str | None
    tags: Sequence[str | Mapping[str, str]]
    status: str


def _has_status(_: Session, product: ProductRow, value: str) -> ColumnElement[bool]:
    backlog_items.check_status(product, value)
    return BacklogItemRow.status == value


class BacklogItems(Resource[BacklogItemRow, BacklogItem]):
    """The backlog items of one product."""

    _kind = Kind(
        declaration=BACKLOG_ITEM,
        table=BacklogItemRow,
        documents=backlog_items.documents,
        snapshot=BacklogItem,
        filters={
            "status": _has_status,
            "assigned": refers_to(BacklogItemRow.assigned_id, users.get),
            "idea": refers_to(BacklogItemRow.idea_id, ideas.get),
        },
    )

    def create(self, **fields: Unpack[BacklogItemFields]) -> BacklogItem:
        """Create a backlog item: ``backlogItem.created``.

        Args:
            fields: see ``BacklogItemFields``; ``title`` is required.

        Raises:
            InvalidValue: a field or a value is refused, or the title is missing.
            NotFound: there is no such user in the product.
        """
        return self._make(backlog_items.create, self._values(fields))

    def list(  # noqa: PLR0913 - the filters of a list
        self,
        *,
        status: str | None = None,
        assigned: UserRef | None = None,
        idea: IdeaRef | None = None,
        order: str = "oldest",
        q: str | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[BacklogItem]:
        """Return backlog items in the order of creation. A filter that is None selects all.

        Args:
            status: one of the product's statuses.
            assigned: the user who works on it.
            idea: the idea that it was promoted from.
            order: ``oldest`` or ``newest``: which comes first.
            q: a text in the title, in any letter case.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: there is no such status, ``limit`` is 0, or ``after`` is no cursor.
            NotFound: there is no such user or idea in the product.
        """
        return self._page(
            status=status, assigned=assigned, idea=idea, order=order, q=q, limit=limit, after=after
        )

    def update(self, reference: BacklogItemRef, **fields: Unpack[BacklogItemFields]) -> BacklogItem:
        """Change a backlog item: ``backlogItem.updated``, ``backlogItem.statusChanged``, or both.

        Raises:
            InvalidValue: a field or a value is refused.
            NotFound: there is no such backlog item or user in the product.
        """
        return self._change(reference, backlog_items.edit, self._values(fields))

    def set_status(self, reference: BacklogItemRef, status: str) -> BacklogItem:
        """Set the status: ``backlogItem.statusChanged``; no event if it stays the same.

        Raises:
            InvalidValue: the product has no such status.
            NotFound: there is no such backlog item.
        """
        return self._change(reference, backlog_items.set_status, status)

    def delete(self, reference: BacklogItemRef) -> None:
        """Delete a backlog item: ``backlogItem.deleted``; its idea stays promoted.

        Raises:
            NotFound: there is no such backlog item.
        """
        self._remove(reference, backlog_items.remove)
