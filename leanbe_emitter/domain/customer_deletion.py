"""Deletion of customers with their votes, and from their requests (contract c.3): no event."""

from typing import Any

from sqlalchemy import ScalarSelect, Select, delete, func, select, update
from sqlalchemy.orm import Session

from leanbe_emitter.storage.schema.document_tables import (
    CustomerRow,
    IdeaRequestRow,
    IdeaRow,
    VoteRow,
)
from leanbe_emitter.storage.schema.states import VoteDirection


def delete_customers(session: Session, customer_ids: Select[str]) -> None:
    """Delete customers and their votes, and subtract these from the counters of ideas.

    This takes as many statements as for one customer. Ideas keep their ``updatedAt``, and no event
    is raised.

    Args:
        session: the session of a transaction.
        customer_ids: selects the ids. A list of ten thousand ids would be too long for a statement.
    """
    theirs = VoteRow.customer_id.in_(customer_ids)
    session.execute(
        update(IdeaRow)
        .where(IdeaRow.id.in_(select(VoteRow.idea_id).where(theirs)))
        .values(
            up_votes=IdeaRow.up_votes - _count(theirs, VoteDirection.UP),
            down_votes=IdeaRow.down_votes - _count(theirs, VoteDirection.DOWN),
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(VoteRow).where(theirs))
    session.execute(
        update(IdeaRequestRow)
        .where(IdeaRequestRow.customer_id.in_(customer_ids))
        .values(customer_id=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(CustomerRow)
        .where(CustomerRow.id.in_(customer_ids))
        .execution_options(synchronize_session=False)
    )
    # The session holds ideas with old counters.
    session.expire_all()


def _count(theirs: Any, direction: VoteDirection) -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(VoteRow)
        .where(VoteRow.idea_id == IdeaRow.id)
        .where(theirs)
        .where(VoteRow.direction == direction)
        .scalar_subquery()
    )
