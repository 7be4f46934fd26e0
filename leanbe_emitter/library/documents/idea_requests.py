"""``product.idea_requests``: ideas that customers ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy.orm import Session

from leanbe_emitter.domain import customers, idea_requests, ideas
from leanbe_emitter.domain.action import Action
from leanbe_emitter.library.documents.customers import CustomerRef
from leanbe_emitter.library.documents.document_snapshot import (
    CustomerReference,
    Document,
    IdeaReference,
    IdeaRequestReference,
    ProductReference,
)
from leanbe_emitter.library.documents.resources import Conditions, Kind, Resource, one_of
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.library.runtime.references import reference_text
from leanbe_emitter.storage.schema.document_tables import IdeaRequestRow
from leanbe_emitter.storage.schema.states import RequestStatus
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.stringify import JSON


@dataclass(frozen=True, kw_only=True)
class IdeaRequest(Document):
    """An idea request."""

    customer: CustomerReference | None
    title: str
    description: str | None
    description_html: str | None
    status: RequestStatus
    source: str
    product: ProductReference
    idea: IdeaReference | None

    @classmethod
    def of(cls, values: Mapping[str, JSON], text: str) -> "IdeaRequest":
        """Read a snapshot from a document."""
        return cls(
            id=values["_id"],
            customer=CustomerReference.maybe(values["customer"]),
            title=values["title"],
            description=values["description"],
            description_html=values["descriptionHTML"],
            status=RequestStatus(values["status"]),
            source=values["source"],
            created_at=parse_instant(values["createdAt"]),
            updated_at=parse_instant(values["updatedAt"]),
            product=ProductReference.of(values["product"]),
            idea=IdeaReference.maybe(values["idea"]),
            _text=text,
        )


#: A request is named by a snapshot or a reference, the id, or a part of the id.
IdeaRequestRef = IdeaRequest | IdeaRequestReference | str
#: ``ideas.IdeaRef``, which this module cannot import: ideas name requests, too.
IdeaName = Document | IdeaReference | str


class IdeaRequestFields(TypedDict, total=False):
    """The fields of a new idea request.

    ``customer`` is a customer of the product. An unknown e-mail creates a new customer.
    """

    customer: CustomerRef | None
    title: str
    description: str | None
    description_html: str | None
    source: str


class IdeaRequests(Resource[IdeaRequestRow, IdeaRequest]):
    """The idea requests of one product: created, then attached or ignored, and never edited."""

    _kind = Kind(
        resource="ideaRequest",
        table=IdeaRequestRow,
        settable=idea_requests.SETTABLE,
        get=idea_requests.get,
        of=idea_requests.of,
        documents=idea_requests.documents,
        snapshot=IdeaRequest.of,
    )

    def create(self, **fields: Unpack[IdeaRequestFields]) -> IdeaRequest:
        """Create an idea request: ``ideaRequest.created``.

        If ``customer`` is an e-mail that the product does not know, ``customer.created`` comes
        first; if another product knows the e-mail, ``customer.updated`` comes first.

        Args:
            fields: see ``IdeaRequestFields``; ``title`` is required.

        Raises:
            InvalidValue: a field or a value is refused, or the title is missing.
            NotFound: ``customer`` is no customer of the product, and no e-mail.
        """
        values = self._values(fields)
        return self._make(lambda action, product: idea_requests.create(action, product, values))

    def list(
        self,
        *,
        status: RequestStatus | str | None = None,
        customer: CustomerRef | None = None,
        idea: IdeaName | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[IdeaRequest]:
        """Return idea requests in the order of creation. A filter that is None selects all.

        Args:
            status: new, attached or ignored.
            customer: the customer who asked.
            idea: the idea that the requests are attached to.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: there is no such status, ``limit`` is 0, or ``after`` is no cursor.
            NotFound: there is no such customer or idea in the product.
        """

        def conditions(session: Session, product: ProductRow) -> Conditions:
            if status is not None:
                yield IdeaRequestRow.status == one_of(RequestStatus, status, what="a request")
            if customer is not None:
                found = customers.get(session, product, reference_text(customer))
                yield IdeaRequestRow.customer_id == found.id
            if idea is not None:
                yield (
                    IdeaRequestRow.idea_id == ideas.get(session, product, reference_text(idea)).id
                )

        return self._page(conditions, limit=limit, after=after)

    def attach(self, reference: IdeaRequestRef, *, idea: IdeaName) -> IdeaRequest:
        """Attach a new idea request to an idea: ``ideaRequest.attachedToIdea``.

        Raises:
            Conflict: the request is not new, or the idea is archived.
            NotFound: there is no such idea request or idea in the product.
        """

        def attach(action: Action, product: ProductRow, row: IdeaRequestRow) -> None:
            to = ideas.get(action.session, product, reference_text(idea))
            ideas.attach(action, product, to, row)

        return self._change(reference, attach)

    def ignore(self, reference: IdeaRequestRef) -> IdeaRequest:
        """Ignore an idea request for good: ``ideaRequest.ignored``.

        Raises:
            Conflict: the request is not new.
            NotFound: there is no such idea request.
        """
        return self._change(reference, idea_requests.ignore)
