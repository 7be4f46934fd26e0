"""``product.idea_requests``: ideas that customers ask for."""

from dataclasses import dataclass
from typing import TypedDict, Unpack

from leanbe_emitter.domain import customers, idea_requests, ideas
from leanbe_emitter.domain.lookup import reference_text
from leanbe_emitter.library.documents.customers import CustomerRef
from leanbe_emitter.library.documents.document_snapshot import (
    CustomerReference,
    Document,
    IdeaReference,
    IdeaRequestReference,
    ProductReference,
)
from leanbe_emitter.library.documents.resources import Kind, Resource, has_status, refers_to
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.storage.schema.document_tables import IdeaRequestRow
from leanbe_emitter.storage.schema.states import RequestStatus
from leanbe_emitter.wire.payloads.declarations import IDEA_REQUEST


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
        declaration=IDEA_REQUEST,
        table=IdeaRequestRow,
        documents=idea_requests.documents,
        snapshot=IdeaRequest,
        filters={
            "status": has_status(IdeaRequestRow.status, RequestStatus, what="a request"),
            "customer": refers_to(IdeaRequestRow.customer_id, customers.get),
            "idea": refers_to(IdeaRequestRow.idea_id, ideas.get),
        },
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
        return self._make(idea_requests.create, self._values(fields))

    def list(  # noqa: PLR0913 - the filters of a list
        self,
        *,
        status: RequestStatus | str | None = None,
        customer: CustomerRef | None = None,
        idea: IdeaName | None = None,
        order: str = "oldest",
        q: str | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[IdeaRequest]:
        """Return idea requests in the order of creation. A filter that is None selects all.

        Args:
            status: new, attached or ignored.
            customer: the customer who asked.
            idea: the idea that the requests are attached to.
            order: ``oldest`` or ``newest``: which comes first.
            q: a text in the title, in any letter case.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: there is no such status, ``limit`` is 0, or ``after`` is no cursor.
            NotFound: there is no such customer or idea in the product.
        """
        return self._page(
            status=status, customer=customer, idea=idea, order=order, q=q, limit=limit, after=after
        )

    def attach(self, reference: IdeaRequestRef, *, idea: IdeaName) -> IdeaRequest:
        """Attach a new idea request to an idea: ``ideaRequest.attachedToIdea``.

        Raises:
            Conflict: the request is not new, or the idea is archived.
            NotFound: there is no such idea request or idea in the product.
        """
        return self._change(reference, ideas.attach, reference_text(idea))

    def ignore(self, reference: IdeaRequestRef) -> IdeaRequest:
        """Ignore an idea request for good: ``ideaRequest.ignored``.

        Raises:
            Conflict: the request is not new.
            NotFound: there is no such idea request.
        """
        return self._change(reference, idea_requests.ignore)
