"""``product.ideas``: ideas and votes for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy.orm import Session

from leanbe_emitter.domain import customers, idea_requests, ideas, users, votes
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.validation import check_text
from leanbe_emitter.library.documents.customers import CustomerRef
from leanbe_emitter.library.documents.document_snapshot import (
    Document,
    IdeaReference,
    IdeaRequestReference,
    ProductReference,
    UserReference,
    titles,
)
from leanbe_emitter.library.documents.idea_requests import IdeaRequestRef
from leanbe_emitter.library.documents.resources import Conditions, Kind, Resource
from leanbe_emitter.library.documents.users import UserRef
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.library.runtime.references import reference_text
from leanbe_emitter.storage.schema.document_tables import IdeaRow
from leanbe_emitter.storage.schema.states import VoteDirection
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.stringify import JSON


@dataclass(frozen=True, kw_only=True)
class Idea(Document):
    """An idea.

    Attributes:
        tags: the titles of the tags.
        upvotes: the vote counter, which the assumption ``upvotes`` of the product defines.
        idea_requests: the attached requests, in the order of attaching.
    """

    owner: UserReference
    assigned: UserReference | None
    title: str
    description: str | None
    description_html: str | None
    tags: tuple[str, ...]
    visibility: str
    promoted: bool
    archived: bool
    upvotes: int
    product: ProductReference
    idea_requests: tuple[IdeaRequestReference, ...]

    @classmethod
    def of(cls, values: Mapping[str, JSON], text: str) -> "Idea":
        """Read a snapshot from a document."""
        return cls(
            id=values["_id"],
            owner=UserReference.of(values["owner"]),
            assigned=UserReference.maybe(values["assigned"]),
            title=values["title"],
            description=values["description"],
            description_html=values["descriptionHTML"],
            tags=titles(values["tags"]),
            visibility=values["visibility"],
            promoted=values["promoted"],
            archived=values["archived"],
            upvotes=values["upvotes"],
            created_at=parse_instant(values["createdAt"]),
            updated_at=parse_instant(values["updatedAt"]),
            product=ProductReference.of(values["product"]),
            idea_requests=tuple(map(IdeaRequestReference.of, values["ideaRequests"])),
            _text=text,
        )


#: An idea is named by a snapshot or a reference, the id, or a part of the id.
IdeaRef = Idea | IdeaReference | str


class IdeaFields(TypedDict, total=False):
    """The settable fields of an idea; None removes an optional value.

    A description without ``description_html`` gets HTML. Tags are texts, or objects with a
    ``title``.
    """

    owner: UserRef
    assigned: UserRef | None
    title: str
    description: str | None
    description_html: str | None
    tags: Sequence[str | Mapping[str, str]]
    visibility: str
    archived: bool


class Ideas(Resource[IdeaRow, Idea]):
    """The ideas of one product."""

    _kind = Kind(
        resource="idea",
        table=IdeaRow,
        settable=ideas.SETTABLE,
        get=ideas.get,
        of=ideas.of,
        documents=ideas.documents,
        snapshot=Idea.of,
    )

    def create(
        self, *, requests: Iterable[IdeaRequestRef] = (), **fields: Unpack[IdeaFields]
    ) -> Idea:
        """Create an idea: ``idea.created``, and ``ideaRequest.attachedToIdea`` for each request.

        Args:
            requests: new idea requests that are attached to the idea, in order.
            fields: see ``IdeaFields``; ``title`` is required.

        Raises:
            InvalidValue: a field or a value is refused, or the title is missing.
            NotFound: there is no such user or idea request in the product.
            Conflict: a request is not new.
        """
        values, named = self._values(fields), [reference_text(each) for each in requests]

        def create(action: Action, product: ProductRow) -> IdeaRow:
            action.lock(product)
            rows = idea_requests.get_all(action.session, product, named)
            return ideas.create(action, product, values, requests=rows)

        return self._make(create)

    def list(  # noqa: PLR0913 - the filters of ideas
        self,
        *,
        promoted: bool | None = None,
        archived: bool | None = None,
        visibility: str | None = None,
        tag: str | None = None,
        owner: UserRef | None = None,
        assigned: UserRef | None = None,
        limit: int = PAGE,
        after: str | None = None,
    ) -> Page[Idea]:
        """Return ideas in the order of creation. A filter that is None selects all.

        Args:
            promoted: whether the idea was promoted to the backlog.
            archived: whether the idea is archived.
            visibility: the audience of the idea.
            tag: the title of one of its tags.
            owner: the user who owns the idea.
            assigned: the user who works on the idea.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: a database cannot store a text, ``limit`` is 0, or ``after`` is no cursor.
            NotFound: there is no such user in the product.
        """

        def conditions(session: Session, product: ProductRow) -> Conditions:
            if promoted is not None:
                yield IdeaRow.promoted.is_(promoted)
            if archived is not None:
                yield IdeaRow.archived.is_(archived)
            if visibility is not None:
                yield IdeaRow.visibility == check_text(visibility, what="visibility")
            if tag is not None:
                yield ideas.tagged(tag)
            if owner is not None:
                found = users.get(session, reference_text(owner), product=product)
                yield IdeaRow.owner_id == found.id
            if assigned is not None:
                found = users.get(session, reference_text(assigned), product=product)
                yield IdeaRow.assigned_id == found.id

        return self._page(conditions, limit=limit, after=after)

    def update(self, reference: IdeaRef, **fields: Unpack[IdeaFields]) -> Idea:
        """Change an idea: one ``idea.updated``; no event if nothing changes.

        Raises:
            InvalidValue: a field or a value is refused.
            NotFound: there is no such idea or user in the product.
        """
        values = self._values(fields)
        return self._change(
            reference, lambda action, product, row: ideas.edit(action, product, row, values)
        )

    def delete(self, reference: IdeaRef) -> None:
        """Delete an idea: ``idea.deleted``. Its requests become new again, without an event.

        Raises:
            NotFound: there is no such idea.
        """
        self._remove(reference, ideas.remove)

    def promote(self, reference: IdeaRef) -> Idea:
        """Promote an idea to the backlog for good: ``idea.promoted``, ``backlogItem.created``.

        An assumption of the product can leave the backlog item out.

        Raises:
            Conflict: the idea is promoted already, or archived.
            NotFound: there is no such idea.
        """
        return self._change(reference, ideas.promote)

    def upvote(self, reference: IdeaRef, *, customer: CustomerRef | None = None) -> Idea:
        """Vote for an idea: ``idea.upVoted``.

        Args:
            reference: the idea.
            customer: the voter; by default the vote is anonymous and can be repeated.

        Raises:
            Conflict: the customer voted so already or may not vote, or the idea is archived.
            NotFound: there is no such idea or customer in the product.
        """
        return self._vote(reference, VoteDirection.UP, customer)

    def downvote(self, reference: IdeaRef, *, customer: CustomerRef | None = None) -> Idea:
        """Vote against an idea: ``idea.downVoted``.

        Args:
            reference: the idea.
            customer: the voter; by default the vote is anonymous and can be repeated.

        Raises:
            Conflict: the customer voted so already or may not vote, the idea is archived, or there
                is no upvote to take back and the product's assumptions require one.
            NotFound: there is no such idea or customer in the product.
        """
        return self._vote(reference, VoteDirection.DOWN, customer)

    def withdraw_vote(self, reference: IdeaRef, *, customer: CustomerRef) -> Idea:
        """Withdraw a customer's vote, without an event.

        Raises:
            Conflict: the customer has no vote for the idea, or the idea is archived.
            NotFound: there is no such idea or customer in the product.
        """

        def withdraw(action: Action, product: ProductRow, row: IdeaRow) -> None:
            voter = customers.get(action.session, product, reference_text(customer))
            votes.withdraw(action, product, row, customer=voter)

        return self._change(reference, withdraw)

    def _vote(
        self, reference: IdeaRef, direction: VoteDirection, customer: CustomerRef | None
    ) -> Idea:
        def vote(action: Action, product: ProductRow, row: IdeaRow) -> None:
            voter = None
            if customer is not None:
                voter = customers.get(action.session, product, reference_text(customer))
            votes.cast(action, product, row, direction, customer=voter)

        return self._change(reference, vote)
