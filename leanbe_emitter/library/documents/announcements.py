"""``product.announcements``: announcements to users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

from leanbe_emitter.domain import announcements
from leanbe_emitter.library.documents.document_snapshot import (
    Document,
    ProductReference,
    UserReference,
)
from leanbe_emitter.library.documents.resources import Kind, Resource, has_status
from leanbe_emitter.library.documents.users import UserRef
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.storage.schema.document_tables import AnnouncementRow
from leanbe_emitter.storage.schema.states import AnnouncementStatus
from leanbe_emitter.wire.payloads.declarations import ANNOUNCEMENT


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
        declaration=ANNOUNCEMENT,
        table=AnnouncementRow,
        documents=announcements.documents,
        snapshot=Announcement,
        filters={
            "status": has_status(AnnouncementRow.status, AnnouncementStatus, what="an announcement")
        },
    )

    def create(self, **fields: Unpack[AnnouncementFields]) -> Announcement:
        """Create an announcement, as a draft or published: ``announcement.created``.

        Args:
            fields: see ``AnnouncementFields``; ``title`` is required.

        Raises:
            InvalidValue: a field or a value is refused, or the title is missing.
            NotFound: there is no such user in the product.
        """
        return self._make(announcements.create, self._values(fields))

    def list(
        self,
        *,
        status: AnnouncementStatus | str | None = None,
        order: str = "oldest",
        q: str | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[Announcement]:
        """Return announcements in the order of creation.

        Args:
            status: draft or published; any by default.
            order: ``oldest`` or ``newest``: which comes first.
            q: a text in the title, in any letter case.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: there is no such status, ``limit`` is 0, or ``after`` is no cursor.
        """
        return self._page(status=status, order=order, q=q, limit=limit, after=after)

    def update(
        self, reference: AnnouncementRef, **fields: Unpack[AnnouncementFields]
    ) -> Announcement:
        """Change fields and status: one ``announcement.updated``; no event if nothing changes.

        Raises:
            InvalidValue: a field or a value is refused.
            NotFound: there is no such announcement, or no such user in the product.
        """
        return self._change(reference, announcements.edit, self._values(fields))

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
