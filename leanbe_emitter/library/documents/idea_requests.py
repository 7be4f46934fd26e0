"""``product.idea_requests``: what customers ask for (contract b.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy.orm import Session

from leanbe_emitter.domain import customers, idea_requests, ideas
from leanbe_emitter.domain.action import Action
from leanbe_emitter.library.documents.customers import CustomerRef
from leanbe_emitter.library.documents.resources import Conditions, Kind, Resource, one_of
from leanbe_emitter.library.documents.snapshot import (
    CustomerReference,
    Document,
    IdeaReference,
    IdeaRequestReference,
    ProductReference,
)
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
    """What can be set of a request when it is made.

    ``customer`` names one of the product's; the e-mail of nobody it knows makes a new one.
    """

    customer: CustomerRef | None
    title: str
    description: str | None
    description_html: str | None
    source: str


class IdeaRequests(Resource[IdeaRequestRow, IdeaRequest]):
    """The idea requests of one product: made, attached or ignored, and never changed otherwise."""

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
        """Write down what somebody asks for: ``ideaRequest.created``.

        Where ``customer`` is an e-mail that the product does not know, ``customer.created`` comes
        before it, or ``customer.updated`` where another product knows it.

        Args:
            fields: what can be set (``IdeaRequestFields``); ``title`` is needed.

        Raises:
            InvalidValue: a field or a value that is refused, or the title is missing.
            NotFound: the customer is not there, and is no e-mail.
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
        """Return requests in the order of creation; what is None does not matter.

        Args:
            status: new, attached or ignored.
            customer: who asked.
            idea: what they are attached to.
            limit: how many at the most.
            after: the cursor of the page before.

        Raises:
            InvalidValue: there is no such status, ``limit`` is 0, or ``after`` is no cursor.
            NotFound: the customer or the idea is not there.
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
        """Make a new request part of an idea: ``ideaRequest.attachedToIdea``.

        Raises:
            Conflict: the request is not new, or the idea is archived.
            NotFound: the request or the idea is not there.
        """

        def attach(action: Action, product: ProductRow, row: IdeaRequestRow) -> None:
            to = ideas.get(action.session, product, reference_text(idea))
            ideas.attach(action, product, to, row)

        return self._change(reference, attach)

    def ignore(self, reference: IdeaRequestRef) -> IdeaRequest:
        """Set a request aside for good: ``ideaRequest.ignored``.

        Raises:
            Conflict: the request is not new.
            NotFound: the request is not there.
        """
        return self._change(reference, idea_requests.ignore)
