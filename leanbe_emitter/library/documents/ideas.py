"""``product.ideas``: ideas and votes for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypedDict, Unpack

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.domain import ideas, users, votes
from leanbe_emitter.domain.lookup import reference_text
from leanbe_emitter.domain.validation import check_text
from leanbe_emitter.library.documents.customers import CustomerRef
from leanbe_emitter.library.documents.document_snapshot import (
    Document,
    IdeaReference,
    IdeaRequestReference,
    ProductReference,
    UserReference,
)
from leanbe_emitter.library.documents.idea_requests import IdeaRequestRef
from leanbe_emitter.library.documents.resources import Kind, Resource, has_flag, refers_to
from leanbe_emitter.library.documents.users import UserRef
from leanbe_emitter.library.runtime.paging import PAGE, Page, check_limit, cursor_of, oldest
from leanbe_emitter.storage.schema.document_tables import IdeaRow, VoteRow
from leanbe_emitter.storage.schema.states import VoteDirection
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.payloads.declarations import IDEA


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


@dataclass(frozen=True, kw_only=True)
class Vote:
    """A vote for or against an idea.

    Attributes:
        customer_id: the customer who voted; None for an anonymous vote.
        direction: up or down.
        at: when the customer voted first.
    """

    customer_id: str | None
    direction: VoteDirection
    at: datetime

    @classmethod
    def of(cls, row: VoteRow) -> Self:
        """Take a snapshot of the row."""
        return cls(
            customer_id=row.customer_id,
            direction=row.direction,
            at=from_milliseconds(row.created_at),
        )

    def document(self) -> dict[str, Any]:
        """Return the vote as JSON."""
        return {
            "customer": self.customer_id,
            "kind": self.direction.value,
            "at": print_instant(self.at),
        }


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


def _has_visibility(_: Session, __: ProductRow, value: str) -> ColumnElement[bool]:
    return IdeaRow.visibility == check_text(value, what="visibility")


class Ideas(Resource[IdeaRow, Idea]):
    """The ideas of one product."""

    _kind = Kind(
        declaration=IDEA,
        table=IdeaRow,
        documents=ideas.documents,
        snapshot=Idea,
        filters={
            "promoted": has_flag(IdeaRow.promoted),
            "archived": has_flag(IdeaRow.archived),
            "visibility": _has_visibility,
            "tag": lambda _, __, value: ideas.tagged(value),
            "owner": refers_to(IdeaRow.owner_id, users.get),
            "assigned": refers_to(IdeaRow.assigned_id, users.get),
        },
        get=ideas.get,
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
        named = [reference_text(each) for each in requests]
        return self._make(ideas.create, self._values(fields), requests=named)

    def list(  # noqa: PLR0913 - the filters of ideas
        self,
        *,
        promoted: bool | None = None,
        archived: bool | None = None,
        visibility: str | None = None,
        tag: str | None = None,
        owner: UserRef | None = None,
        assigned: UserRef | None = None,
        order: str = "oldest",
        q: str | None = None,
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
            order: ``oldest`` or ``newest``: which comes first.
            q: a text in the title, in any letter case.
            limit: the most entries that are returned.
            after: the cursor of the page before.

        Raises:
            InvalidValue: a database cannot store a text, ``limit`` is 0, or ``after`` is no cursor.
            NotFound: there is no such user in the product.
        """
        return self._page(
            promoted=promoted,
            archived=archived,
            visibility=visibility,
            tag=tag,
            owner=owner,
            assigned=assigned,
            limit=limit,
            order=order,
            q=q,
            after=after,
        )

    def update(self, reference: IdeaRef, **fields: Unpack[IdeaFields]) -> Idea:
        """Change an idea: one ``idea.updated``; no event if nothing changes.

        Raises:
            InvalidValue: a field or a value is refused.
            NotFound: there is no such idea or user in the product.
        """
        return self._change(reference, ideas.edit, self._values(fields))

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
        return self._change(reference, votes.withdraw, customer=reference_text(customer))

    def votes(
        self, reference: IdeaRef, *, limit: int = PAGE, after: str | None = None
    ) -> Page[Vote]:
        """Return the votes for and against an idea, the oldest first.

        Args:
            reference: the idea.
            limit: the most votes that are returned.
            after: the cursor of the page before.

        Raises:
            NotFound: there is no such idea.
            InvalidValue: ``limit`` is 0, or ``after`` is no cursor.
        """
        check_limit(limit)
        with self._looking() as (session, product):
            found = select(VoteRow).where(
                VoteRow.idea_id == self._row(session, product, reference).id
            )
            page = oldest(found, VoteRow.created_at, limit=limit + 1, after=after)
            rows = session.scalars(page).all()
            last = rows[limit - 1] if len(rows) > limit else None
            return Page(
                (Vote.of(row) for row in rows[:limit]),
                cursor=None if last is None else cursor_of(last.created_at, last.id),
            )

    def _vote(
        self, reference: IdeaRef, direction: VoteDirection, customer: CustomerRef | None
    ) -> Idea:
        voter = None if customer is None else reference_text(customer)
        return self._change(reference, votes.cast, direction, customer=voter)
