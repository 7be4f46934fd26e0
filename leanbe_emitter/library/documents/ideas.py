"""``product.ideas``: what could be built, and who wants it (contract b.1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy.orm import Session

from leanbe_emitter.domain import customers, idea_requests, ideas, users, votes
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.texts import check_text
from leanbe_emitter.library.documents.customers import CustomerRef
from leanbe_emitter.library.documents.idea_requests import IdeaRequestRef
from leanbe_emitter.library.documents.resources import Conditions, Kind, Resource
from leanbe_emitter.library.documents.snapshot import (
    Document,
    IdeaReference,
    IdeaRequestReference,
    ProductReference,
    UserReference,
    titles,
)
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
        tags: their titles.
        upvotes: its counter, as the product reads the article (contract d-12).
        idea_requests: in the order in which they were attached.
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
    """What can be set of an idea; None takes an optional value away.

    A description without HTML gets some; tags are texts, or objects with a ``title``.
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
        """Write down an idea: ``idea.created``, ``ideaRequest.attachedToIdea`` for each request.

        Args:
            requests: new requests that it is made of, in order.
            fields: what can be set (``IdeaFields``); ``title`` is needed.

        Raises:
            InvalidValue: a field or a value that is refused, or the title is missing.
            NotFound: a user or a request is not there.
            Conflict: a request is not new.
        """
        values, named = self._values(fields), [reference_text(each) for each in requests]

        def create(action: Action, product: ProductRow) -> IdeaRow:
            action.lock(product)
            rows = idea_requests.get_all(action.session, product, named)
            return ideas.create(action, product, values, requests=rows)

        return self._make(create)

    def list(  # noqa: PLR0913 - what ideas are told apart by
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
        """Return ideas in the order of creation; what is None does not matter.

        Args:
            promoted: whether it was taken into the backlog.
            archived: whether it was put away.
            visibility: who sees it.
            tag: the title of one of its tags.
            owner: who owns it.
            assigned: who works on it.
            limit: how many at the most.
            after: the cursor of the page before.

        Raises:
            InvalidValue: a text that no database can hold, ``limit`` is 0, or ``after`` is no
                cursor.
            NotFound: a user is not there.
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
        """Change an idea: one ``idea.updated``, or nothing where nothing changes.

        Raises:
            InvalidValue: a field or a value that is refused.
            NotFound: the idea or a user is not there.
        """
        values = self._values(fields)
        return self._change(
            reference, lambda action, product, row: ideas.edit(action, product, row, values)
        )

    def delete(self, reference: IdeaRef) -> None:
        """Delete an idea: ``idea.deleted``; its requests are new again, silently.

        Raises:
            NotFound: the idea is not there.
        """
        self._remove(reference, ideas.remove)

    def promote(self, reference: IdeaRef) -> Idea:
        """Take an idea into the backlog, for good: ``idea.promoted``, ``backlogItem.created``.

        The backlog item is not made where the product reads d-19 otherwise.

        Raises:
            Conflict: it is promoted already, or archived.
            NotFound: the idea is not there.
        """
        return self._change(reference, ideas.promote)

    def upvote(self, reference: IdeaRef, *, customer: CustomerRef | None = None) -> Idea:
        """Vote for an idea: ``idea.upVoted``.

        Args:
            reference: what is voted for.
            customer: who votes; without one it is an anonymous vote, which is repeatable.

        Raises:
            Conflict: the customer did so already, or may not vote; the idea is archived.
            NotFound: the idea or the customer is not there.
        """
        return self._vote(reference, VoteDirection.UP, customer)

    def downvote(self, reference: IdeaRef, *, customer: CustomerRef | None = None) -> Idea:
        """Vote against an idea: ``idea.downVoted`` (contract d-12).

        Args:
            reference: what is voted against.
            customer: who votes; without one it is an anonymous vote, which is repeatable.

        Raises:
            Conflict: the customer did so already, or may not vote; the idea is archived; there is
                no upvote to take back, where the product reads d-12 so.
            NotFound: the idea or the customer is not there.
        """
        return self._vote(reference, VoteDirection.DOWN, customer)

    def withdraw_vote(self, reference: IdeaRef, *, customer: CustomerRef) -> Idea:
        """Take a customer's vote back; there is no event of it.

        Raises:
            Conflict: the customer has no vote on it, or it is archived.
            NotFound: the idea or the customer is not there.
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
