"""Snapshots of a product and of its webhook settings, true at the moment they were taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leanbe_emitter.domain.lookup import Identified
from leanbe_emitter.header_rules import Headers, header_pairs
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
        url: the URL that events are sent to; None if there is none.
        secret: the signing secret; None until the webhook first had a URL. Not in ``repr``.
        headers: further headers of every request.
        ca_file: a file of the certificate authorities that are trusted instead of the system's.
        insecure: whether any certificate is accepted.
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
        """Return the settings as JSON, without the secret, and with the names of headers only."""
        return {
            "url": self.url,
            "hasSecret": self.secret is not None,
            "headers": [name for name, _ in self.headers],
            "caFile": self.ca_file,
            "insecure": self.insecure,
        }


@dataclass(frozen=True, kw_only=True)
class Product(Identified):
    """A product; its attributes lead to its users and documents."""

    name: str
    webhook: Webhook
    #: The assumptions that were set.
    assumptions: Mapping[str, str] = field(hash=False)
    #: The statuses of a backlog item, in order; a new item has the first.
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
