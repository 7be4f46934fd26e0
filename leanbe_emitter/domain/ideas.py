"""Ideas: created, edited, promoted, archived and deleted (contract b.1, c.2, c.3)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, Text, bindparam, delete, func, select, type_coerce, update
from sqlalchemy.orm import Session

from leanbe_emitter.domain import backlog_items, idea_requests, users
from leanbe_emitter.domain.action import Action, changing, record
from leanbe_emitter.domain.document_values import (
    assign,
    product_reference,
    request_references,
    user_references,
)
from leanbe_emitter.domain.lookup import find, find_by_whole_id
from leanbe_emitter.domain.validation import check_text, require
from leanbe_emitter.errors import Conflict
from leanbe_emitter.storage.engine.session import insert_row, new_row
from leanbe_emitter.storage.schema.document_tables import BacklogItemRow, IdeaRequestRow, IdeaRow
from leanbe_emitter.storage.schema.states import RequestStatus
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, Cascade, VoteModel
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.instants import print_milliseconds
from leanbe_emitter.wire.payloads.declarations import IDEA
from leanbe_emitter.wire.stringify import JSON

_OF_ID = select(IdeaRow).where(
    IdeaRow.id == bindparam("id"), IdeaRow.product_id == bindparam("product_id")
)


def create(
    action: Action, product: ProductRow, values: Mapping[str, JSON], *, requests: Sequence[str] = ()
) -> IdeaRow:
    """Create an idea, with or without requests.

    Events: ``idea.created`` with its requests, then ``ideaRequest.attachedToIdea`` for each.

    Args:
        action: the action.
        product: the product of the idea.
        values: by the document's names; ``owner`` and ``assigned`` name users.
        requests: names new requests of the same product, in order.

    Raises:
        InvalidValue: a value is refused, or the title is missing.
        NotFound: a user or a request does not exist.
        Conflict: a request is not new, or an archived idea gets requests.
    """
    action.lock(product)
    attached = idea_requests.get_all(action.session, product, requests)
    require(values, "title")
    row = new_row(
        IdeaRow,
        id=action.new_id(among=IdeaRow),
        product_id=product.id,
        owner_id=users.owner_id(action.session, product),
        tags=[],
        visibility="public",
        promoted=False,
        archived=False,
        up_votes=0,
        down_votes=0,
        created_at=action.now_ms,
        updated_at=action.now_ms,
    )
    assign(row, users.columns(action.session, product, IDEA, values))
    if attached:
        require_active(row)
    insert_row(action.session, row)
    if attached:
        idea_requests.attach_all(action, attached, row)
    (new,) = documents(action.session, product, [row], with_requests=[row] if attached else [])
    action.record("idea.created", product, new, updated_at=row.updated_at)
    if attached:
        idea_requests.record_attached(action, product, attached)
    return row


def get(session: Session, product: ProductRow, reference: str) -> IdeaRow:
    """Return the product's idea of an id, or of a part of an id.

    Raises:
        NotFound: no idea has it.
        InvalidValue: several have it.
    """
    row = find_by_whole_id(session, _OF_ID, reference, product_id=product.id)
    return row or find(
        session,
        select(IdeaRow).where(IdeaRow.product_id == product.id),
        reference,
        what="idea",
        by_id=IdeaRow.id,
    )


def tagged(title: str) -> ColumnElement[bool]:
    """Return the condition of ideas that have a tag of exactly this title.

    Tags are stored as JSON text, and no text inside JSON can look like an object of JSON.

    Raises:
        InvalidValue: no database can store that title.
    """
    tag = json.dumps({"title": check_text(title, what="tag")}, ensure_ascii=False)
    tags = type_coerce(IdeaRow.tags, Text)
    # On SQLite, LIKE ignores case.
    return func.replace(tags, tag, "") != tags


def edit(action: Action, product: ProductRow, row: IdeaRow, values: Mapping[str, JSON]) -> IdeaRow:
    """Change fields of an idea: one ``idea.updated``, or nothing.

    Raises:
        InvalidValue: a value is refused.
        NotFound: a user does not exist.
    """
    with changing(action, "idea.updated", product, row, documents):
        assign(row, users.columns(action.session, product, IDEA, values))
    return row


def attach(
    action: Action, product: ProductRow, request: IdeaRequestRow, idea: str
) -> IdeaRequestRow:
    """Attach a new request to an idea: ``ideaRequest.attachedToIdea``.

    The idea's ``updatedAt`` moves, too. ``idea.updated`` follows only under the assumption
    ``cascade`` (contract d-13).

    Raises:
        Conflict: the request is not new, or the idea is archived.
        NotFound: the product has no such idea.
    """
    action.lock(product)
    row = get(action.session, product, idea)
    require_active(row)
    with cascading(action, product, row):
        idea_requests.attach_all(action, [request], row)
        action.touch(row)
        action.session.flush()
        idea_requests.record_attached(action, product, [request])
    return request


def promote(action: Action, product: ProductRow, row: IdeaRow) -> BacklogItemRow | None:
    """Promote an idea to the backlog, once and for good.

    Events: ``idea.promoted``, then ``backlogItem.created`` under the assumption
    ``promote_creates_backlog_item`` (contract d-19).

    Returns:
        The new backlog item, or None.

    Raises:
        Conflict: the idea is promoted already, or archived.
    """
    action.lock(product)
    if row.promoted:
        raise Conflict(f"The idea {row.title!r} is promoted already.", hint="A promotion is final.")
    require_active(row)
    before = document(action.session, product, row)
    row.promoted = True
    action.touch(row)
    action.session.flush()
    record(action, "idea.promoted", product, row, documents, before=before)
    assumptions = parse_assumptions(product.assumptions)
    if assumptions.cascade is Cascade.UPDATED:
        record(action, "idea.updated", product, row, documents, before=before)
    if not assumptions.promote_creates_backlog_item:
        return None
    return backlog_items.create_from(action, product, row)


def remove(action: Action, product: ProductRow, row: IdeaRow) -> None:
    """Delete an idea: ``idea.deleted`` with its last state.

    The idea's requests become new again, without an event. Backlog items keep its last title.
    """
    action.lock(product)
    record(action, "idea.deleted", product, row, documents)
    action.session.execute(
        update(IdeaRequestRow)
        .where(IdeaRequestRow.idea_id == row.id)
        .values(status=RequestStatus.NEW, idea_id=None, position=None)
    )
    action.session.execute(
        update(BacklogItemRow).where(BacklogItemRow.idea_id == row.id).values(idea_title=row.title)
    )
    action.session.execute(delete(IdeaRow).where(IdeaRow.id == row.id))


def require_active(row: IdeaRow) -> None:
    """Check that an idea is not archived.

    Raises:
        Conflict: the idea is archived.
    """
    if row.archived:
        raise Conflict(f"The idea {row.title!r} is archived.", hint="Unarchive it first.")


@contextmanager
def cascading(action: Action, product: ProductRow, row: IdeaRow) -> Iterator[None]:
    """Add ``idea.updated`` after the block's more specific event, under ``cascade`` (d-13)."""
    if parse_assumptions(product.assumptions).cascade is not Cascade.UPDATED:
        yield
        return
    before = document(action.session, product, row)
    yield
    record(action, "idea.updated", product, row, documents, before=before)


def document(session: Session, product: ProductRow, row: IdeaRow) -> dict[str, JSON]:
    """Return an idea's values by the document's names; ``wire.payloads`` orders them."""
    return documents(session, product, [row])[0]


def documents(
    session: Session,
    product: ProductRow,
    rows: Sequence[IdeaRow],
    *,
    with_requests: Sequence[IdeaRow] | None = None,
) -> list[dict[str, JSON]]:
    """Return the values of ideas, in as many statements as for one.

    Args:
        session: the session of a transaction.
        product: the product of the ideas.
        rows: the ideas.
        with_requests: those that can have requests; all of them by default.
    """
    assumptions = parse_assumptions(product.assumptions)
    requests = request_references(
        session, [row.id for row in (rows if with_requests is None else with_requests)], assumptions
    )
    people = user_references(
        session, [each for row in rows for each in (row.owner_id, row.assigned_id)]
    )
    return [
        {
            "_id": row.id,
            "owner": people[row.owner_id],
            "assigned": people.get(row.assigned_id or ""),
            "title": row.title,
            "description": row.description,
            "descriptionHTML": row.description_html,
            "tags": row.tags,
            "visibility": row.visibility,
            "promoted": row.promoted,
            "archived": row.archived,
            "upvotes": upvotes(row, assumptions),
            "createdAt": print_milliseconds(row.created_at),
            "updatedAt": print_milliseconds(row.updated_at),
            "product": product_reference(product),
            "ideaRequests": requests.get(row.id, []),
        }
        for row in rows
    ]


def upvotes(row: IdeaRow, assumptions: AssumptionSet) -> int:
    """Return an idea's number of upvotes under ``vote_model`` (contract d-12)."""
    if assumptions.vote_model is VoteModel.NET:
        return row.up_votes - row.down_votes
    return row.up_votes
