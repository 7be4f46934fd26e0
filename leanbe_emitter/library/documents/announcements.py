"""``product.announcements``: what users are told (contract b.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy.orm import Session

from leanbe_emitter.domain import announcements
from leanbe_emitter.library.documents.resources import Conditions, Kind, Resource, one_of
from leanbe_emitter.library.documents.snapshot import (
    Document,
    ProductReference,
    UserReference,
    instant,
    titles,
)
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
        owner: who wrote it.
        categories: their titles.
        published_at: when it was published, while it is.
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
    """What can be set of an announcement; None takes an optional value away.

    A description without HTML gets some; categories are texts, or objects with a ``title``; the
    status is draft or published.
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
        """Write an announcement, as a draft or published at once: ``announcement.created``.

        Args:
            fields: what can be set (``AnnouncementFields``); ``title`` is needed.

        Raises:
            InvalidValue: a field or a value that is refused, or the title is missing.
            NotFound: the user is not there.
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
        """Return announcements in the order of creation; what is None does not matter.

        Args:
            status: draft or published.
            limit: how many at the most.
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
        """Change an announcement, its status included: one ``announcement.updated``, or nothing.

        Raises:
            InvalidValue: a field or a value that is refused.
            NotFound: the announcement or the user is not there.
        """
        values = self._values(fields)
        return self._change(
            reference, lambda action, product, row: announcements.edit(action, product, row, values)
        )

    def publish(self, reference: AnnouncementRef) -> Announcement:
        """Let everybody read it: ``announcement.updated``, or nothing where everybody can.

        Raises:
            NotFound: the announcement is not there.
        """
        return self._change(reference, announcements.publish)

    def unpublish(self, reference: AnnouncementRef) -> Announcement:
        """Make it a draft again: ``announcement.updated``, or nothing where it is one.

        Raises:
            NotFound: the announcement is not there.
        """
        return self._change(reference, announcements.unpublish)

    def delete(self, reference: AnnouncementRef) -> None:
        """Delete an announcement: ``announcement.deleted``.

        Raises:
            NotFound: the announcement is not there.
        """
        self._remove(reference, announcements.remove)
