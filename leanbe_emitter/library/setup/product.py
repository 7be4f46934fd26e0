"""Snapshots of a product and of its webhook settings, true at the moment they were taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leanbe_emitter.library.runtime.header_pairs import Headers, header_pairs
from leanbe_emitter.library.runtime.references import Identified
from leanbe_emitter.storage.schema.tables import WebhookRow
from leanbe_emitter.wire.instants import print_instant

if TYPE_CHECKING:
    from leanbe_emitter.library.documents.announcements import Announcements
    from leanbe_emitter.library.documents.backlog_items import BacklogItems
    from leanbe_emitter.library.documents.customers import Customers
    from leanbe_emitter.library.documents.idea_requests import IdeaRequests
    from leanbe_emitter.library.documents.ideas import Ideas
    from leanbe_emitter.library.documents.okrs import Okrs
    from leanbe_emitter.library.documents.users import ProductUsers


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A product's webhook settings.

    Attributes:
        url: where events go; None: nowhere.
        secret: what they are signed with; None until there was a URL. Not in ``repr``.
        headers: further headers of every request.
        ca_file: the authorities that are trusted instead of the system's.
        insecure: whether any certificate will do.
    """

    url: str | None
    secret: str | None = field(repr=False)
    headers: Headers = field(repr=False)
    ca_file: str | None
    insecure: bool

    @classmethod
    def of(cls, row: WebhookRow) -> "Webhook":
        """Take a snapshot of the row."""
        return cls(
            url=row.url,
            secret=row.secret,
            headers=header_pairs(row.headers),
            ca_file=row.ca_file,
            insecure=row.insecure,
        )

    def document(self) -> dict[str, Any]:
        """Return what may be shown of it: all but the secret, and the names of its headers."""
        return {
            "url": self.url,
            "hasSecret": self.secret is not None,
            "headers": [name for name, _ in self.headers],
            "caFile": self.ca_file,
            "insecure": self.insecure,
        }


@dataclass(frozen=True, kw_only=True)
class Product(Identified):
    """A product, and the way to what hangs on it."""

    name: str
    webhook: Webhook
    #: The assumptions that somebody set.
    assumptions: Mapping[str, str] = field(hash=False)
    #: What a backlog item's status can be, in order; the first is where an item begins.
    statuses: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    users: "ProductUsers" = field(repr=False, compare=False)
    customers: "Customers" = field(repr=False, compare=False)
    ideas: "Ideas" = field(repr=False, compare=False)
    idea_requests: "IdeaRequests" = field(repr=False, compare=False)
    backlog_items: "BacklogItems" = field(repr=False, compare=False)
    okrs: "Okrs" = field(repr=False, compare=False)
    announcements: "Announcements" = field(repr=False, compare=False)

    def document(self) -> dict[str, Any]:
        """Return the product as JSON, without its secret."""
        return {
            "_id": self.id,
            "name": self.name,
            "webhook": self.webhook.document(),
            "assumptions": dict(self.assumptions),
            "statuses": list(self.statuses),
            "createdAt": print_instant(self.created_at),
            "updatedAt": print_instant(self.updated_at),
        }


#: A product is named by a snapshot of it, its name, its id, or a part of the id.
ProductRef = Product | str
