"""``product.announcements``: announcements to users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy.orm import Session

from leanbe_emitter.domain import announcements
from leanbe_emitter.library.documents.document_snapshot import (
    Document,
    ProductReference,
    UserReference,
    instant,
    titles,
)
from leanbe_emitter.library.documents.resources import Conditions, Kind, Resource, one_of
from leanbe_emitter.library.documents.users import UserRef
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.storage.schema.document_tables import AnnouncementRow
from leanbe_emitter.storage.schema.states import AnnouncementStatus
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.stringify import JSON


@dataclass(frozen=True, kw_only=True)
class Announcement(Document):
    """An announcement.

    Attributes:
        owner: the user who wrote it.
        categories: the titles of the categories.
        published_at: when it was published; None for a draft.
    """

    owner: UserReference
    title: str
    description: str | None
    description_html: str | None
    categories: tuple[str, ...]
    status: AnnouncementStatus
    published_at: datetime | None
    product: ProductReference

    @classmethod
    def of(cls, values: Mapping[str, JSON], text: str) -> "Announcement":
        """Read a snapshot from a document."""
        return cls(
            id=values["_id"],
            owner=UserReference.of(values["owner"]),
            title=values["title"],
            description=values["description"],
            description_html=values["descriptionHTML"],
            categories=titles(values["categories"]),
            status=AnnouncementStatus(values["status"]),
            published_at=instant(values["publishedAt"]),
            created_at=parse_instant(values["createdAt"]),
            updated_at=parse_instant(values["updatedAt"]),
            product=ProductReference.of(values["product"]),
            _text=text,
        )


#: An announcement is named by a snapshot, the id, or a part of the id.
AnnouncementRef = Announcement | str


class AnnouncementFields(TypedDict, total=False):
    """The settable fields of an announcement; None removes an optional value.

    A description without ``description_html`` gets HTML. Categories are texts, or objects with a
    ``title``. The status is draft or published.
    """

    owner: UserRef
    title: str
    description: str | None
    description_html: str | None
    categories: Sequence[str | Mapping[str, str]]
    status: AnnouncementStatus | str


class Announcements(Resource[AnnouncementRow, Announcement]):
    """The announcements of one product."""

    _kind = Kind(
        resource="announcement",
        table=AnnouncementRow,
        settable=announcements.SETTABLE,
        get=announcements.get,
        of=announcements.of,
        documents=announcements.documents,
        snapshot=Announcement.of,
    )

    def create(self, **fields: Unpack[AnnouncementFields]) -> Announcement:
        """Create an announcement, as a draft or published: ``announcement.created``.

        Args:
            fields: see ``AnnouncementFields``; ``title`` is required.

        Raises:
            InvalidValue: a field or a value is refused, or the title is missing.
            NotFound: there is no such user in the product.
        """
        values = self._values(fields)
        return self._make(lambda action, product: announcements.create(action, product, values))

    def list(
        self,
        *,
        status: AnnouncementStatus | str | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[Announcement]:
        """Return announcements in the order of creation.

        Args:
            status: draft or published; any by default.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: there is no such status, ``limit`` is 0, or ``after`` is no cursor.
        """

        def conditions(_: Session, __: ProductRow) -> Conditions:
            if status is not None:
                wanted = one_of(AnnouncementStatus, status, what="an announcement")
                yield AnnouncementRow.status == wanted

        return self._page(conditions, limit=limit, after=after)

    def update(
        self, reference: AnnouncementRef, **fields: Unpack[AnnouncementFields]
    ) -> Announcement:
        """Change fields and status: one ``announcement.updated``; no event if nothing changes.

        Raises:
            InvalidValue: a field or a value is refused.
            NotFound: there is no such announcement, or no such user in the product.
        """
        values = self._values(fields)
        return self._change(
            reference, lambda action, product, row: announcements.edit(action, product, row, values)
        )

    def publish(self, reference: AnnouncementRef) -> Announcement:
        """Publish an announcement: ``announcement.updated``; no event if it is published already.

        Raises:
            NotFound: there is no such announcement.
        """
        return self._change(reference, announcements.publish)

    def unpublish(self, reference: AnnouncementRef) -> Announcement:
        """Make an announcement a draft: ``announcement.updated``; no event if it is a draft.

        Raises:
            NotFound: there is no such announcement.
        """
        return self._change(reference, announcements.unpublish)

    def delete(self, reference: AnnouncementRef) -> None:
        """Delete an announcement: ``announcement.deleted``.

        Raises:
            NotFound: there is no such announcement.
        """
        self._remove(reference, announcements.remove)
