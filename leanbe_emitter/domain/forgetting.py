"""What vanishes silently with a customer: votes, and the name on requests (contract c.3)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ScalarSelect, delete, func, select, update
from sqlalchemy.orm import Session

from leanbe_emitter.storage.documents import CustomerRow, IdeaRequestRow, IdeaRow, VoteRow
from leanbe_emitter.storage.states import VoteDirection

#: How many ids one statement names: databases take some ten thousand at the most.
_AT_ONCE = 5000


def forget_customers(session: Session, customer_ids: Sequence[str]) -> None:
    """Delete customers, their votes out of every counter, in as many statements as for one.

    Ideas keep their ``updatedAt``, and nothing is recorded.
    """
    for start in range(0, len(customer_ids), _AT_ONCE):
        _forget(session, customer_ids[start : start + _AT_ONCE])
    # The counters of ideas that the session holds are not what they were.
    session.expire_all()


def _forget(session: Session, customer_ids: Sequence[str]) -> None:
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
    )
    session.execute(delete(CustomerRow).where(CustomerRow.id.in_(customer_ids)))


def _count(theirs: Any, direction: VoteDirection) -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(VoteRow)
        .where(VoteRow.idea_id == IdeaRow.id)
        .where(theirs)
        .where(VoteRow.direction == direction)
        .scalar_subquery()
    )
