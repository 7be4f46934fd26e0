"""``product.backlog_items``: planned work and its status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy.orm import Session

from leanbe_emitter.domain import backlog_items, ideas, users
from leanbe_emitter.library.documents.document_snapshot import (
    Document,
    IdeaReference,
    ProductReference,
    UserReference,
    titles,
)
from leanbe_emitter.library.documents.ideas import IdeaRef
from leanbe_emitter.library.documents.resources import Conditions, Kind, Resource
from leanbe_emitter.library.documents.users import UserRef
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.library.runtime.references import reference_text
from leanbe_emitter.storage.schema.document_tables import BacklogItemRow
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.stringify import JSON


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

    @classmethod
    def of(cls, values: Mapping[str, JSON], text: str) -> "BacklogItem":
        """Read a snapshot from a document."""
        return cls(
            id=values["_id"],
            owner=UserReference.of(values["owner"]),
            assigned=UserReference.maybe(values["assigned"]),
            title=values["title"],
            description=values["description"],
            description_html=values["descriptionHTML"],
            tags=titles(values["tags"]),
            status=values["status"],
            created_at=parse_instant(values["createdAt"]),
            updated_at=parse_instant(values["updatedAt"]),
            product=ProductReference.of(values["product"]),
            idea=IdeaReference.maybe(values["idea"]),
            _text=text,
        )


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


class BacklogItems(Resource[BacklogItemRow, BacklogItem]):
    """The backlog items of one product."""

    _kind = Kind(
        resource="backlogItem",
        table=BacklogItemRow,
        settable=backlog_items.SETTABLE,
        get=backlog_items.get,
        of=backlog_items.of,
        documents=backlog_items.documents,
        snapshot=BacklogItem.of,
    )

    def create(self, **fields: Unpack[BacklogItemFields]) -> BacklogItem:
        """Create a backlog item: ``backlogItem.created``.

        Args:
            fields: see ``BacklogItemFields``; ``title`` is required.

        Raises:
            InvalidValue: a field or a value is refused, or the title is missing.
            NotFound: there is no such user in the product.
        """
        values = self._values(fields)
        return self._make(lambda action, product: backlog_items.create(action, product, values))

    def list(
        self,
        *,
        status: str | None = None,
        assigned: UserRef | None = None,
        idea: IdeaRef | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[BacklogItem]:
        """Return backlog items in the order of creation. A filter that is None selects all.

        Args:
            status: one of the product's statuses.
            assigned: the user who works on it.
            idea: the idea that it was promoted from.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: there is no such status, ``limit`` is 0, or ``after`` is no cursor.
            NotFound: there is no such user or idea in the product.
        """

        def conditions(session: Session, product: ProductRow) -> Conditions:
            if status is not None:
                backlog_items.check_status(product, status)
                yield BacklogItemRow.status == status
            if assigned is not None:
                found = users.get(session, reference_text(assigned), product=product)
                yield BacklogItemRow.assigned_id == found.id
            if idea is not None:
                yield (
                    BacklogItemRow.idea_id == ideas.get(session, product, reference_text(idea)).id
                )

        return self._page(conditions, limit=limit, after=after)

    def update(self, reference: BacklogItemRef, **fields: Unpack[BacklogItemFields]) -> BacklogItem:
        """Change a backlog item: ``backlogItem.updated``, ``backlogItem.statusChanged``, or both.

        Raises:
            InvalidValue: a field or a value is refused.
            NotFound: there is no such backlog item or user in the product.
        """
        values = self._values(fields)
        return self._change(
            reference, lambda action, product, row: backlog_items.edit(action, product, row, values)
        )

    def set_status(self, reference: BacklogItemRef, status: str) -> BacklogItem:
        """Set the status: ``backlogItem.statusChanged``; no event if it stays the same.

        Raises:
            InvalidValue: the product has no such status.
            NotFound: there is no such backlog item.
        """
        return self._change(
            reference,
            lambda action, product, row: backlog_items.set_status(action, product, row, status),
        )

    def delete(self, reference: BacklogItemRef) -> None:
        """Delete a backlog item: ``backlogItem.deleted``; its idea stays promoted.

        Raises:
            NotFound: there is no such backlog item.
        """
        self._remove(reference, backlog_items.remove)
