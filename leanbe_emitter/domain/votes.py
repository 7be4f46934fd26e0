"""Votes for and against ideas: one of each customer, any number of anonymous ones.

The assumption ``vote_model`` decides what a vote does (contract c.2, d-12):

    separate, net   none --up--> up --down--> down --up--> up;   none --down--> down
    toggle          none --up--> up --down--> none: a downvote takes an upvote back

A vote that changes its direction raises one event, that of the new direction. The product's lock
protects the counters.
"""

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from leanbe_emitter.domain import customers, ideas
from leanbe_emitter.domain.action import Action
from leanbe_emitter.domain.document_values import customer_reference
from leanbe_emitter.domain.lookup import deleted_meanwhile
from leanbe_emitter.errors import Conflict
from leanbe_emitter.storage.engine.session import fetch, insert_row, new_row
from leanbe_emitter.storage.schema.document_tables import CustomerRow, IdeaRow, VoteRow
from leanbe_emitter.storage.schema.states import VoteDirection
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet, VoteModel
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions

_SHIFT = (
    update(IdeaRow)
    .where(IdeaRow.id == bindparam("idea_id"))
    .values(
        up_votes=IdeaRow.up_votes + bindparam("up"),
        down_votes=IdeaRow.down_votes + bindparam("down"),
    )
    .returning(IdeaRow.up_votes, IdeaRow.down_votes)
)
_EVENTS = {VoteDirection.UP: "idea.upVoted", VoteDirection.DOWN: "idea.downVoted"}


def cast(
    action: Action,
    product: ProductRow,
    idea: IdeaRow,
    direction: VoteDirection,
    *,
    customer: str | None = None,
) -> IdeaRow:
    """Vote for or against an idea. A customer's vote of the other direction changes.

    Events: one ``idea.upVoted`` or ``idea.downVoted``, also when a vote changes.

    Args:
        action: the action.
        product: the product of the idea.
        idea: the idea.
        direction: up or down.
        customer: names the voter. None is an anonymous vote, which can be repeated but not
            withdrawn.

    Raises:
        NotFound: the product has no such customer.
        Conflict: the customer has voted so already, or may not vote; the idea is archived; or there
            is no upvote to take back (``vote_model`` is ``toggle``).
    """
    action.lock(product)
    assumptions = parse_assumptions(product.assumptions)
    voter = None if customer is None else customers.get(action.session, product, customer)
    ideas.require_active(idea)
    if voter is not None and assumptions.require_confirmed and not voter.confirmed:
        raise Conflict(
            f"{voter.email} is not confirmed.", hint="Confirm first, or unset require_confirmed."
        )
    with ideas.cascading(action, product, idea):
        if assumptions.vote_model is VoteModel.TOGGLE and direction is VoteDirection.DOWN:
            _take_back(action, idea, voter)
        else:
            _count(action, idea, direction, voter)
        _touch(action, idea, assumptions)
        # With its voter, if it has one (contract d-16).
        values = ideas.document(action.session, product, idea)
        values["customer"] = None if voter is None else customer_reference(voter)
        action.record(_EVENTS[direction], product, values, updated_at=idea.updated_at)
    return idea


def withdraw(action: Action, product: ProductRow, idea: IdeaRow, *, customer: str) -> IdeaRow:
    """Withdraw a customer's vote: no event of its own (contract c.3).

    Raises:
        NotFound: the product has no such customer.
        Conflict: the customer has no vote on this idea; the idea is archived.
    """
    action.lock(product)
    voter = customers.get(action.session, product, customer)
    ideas.require_active(idea)
    vote = _vote_of(action.session, idea, voter)
    if vote is None:
        raise Conflict(f"{voter.email} has no vote on {idea.title!r}.", hint="Vote first.")
    with ideas.cascading(action, product, idea):
        _shift(action.session, idea, vote.direction, by=-1)
        action.session.delete(vote)
        _touch(action, idea, parse_assumptions(product.assumptions))
    return idea


def _count(
    action: Action, idea: IdeaRow, direction: VoteDirection, customer: CustomerRow | None
) -> None:
    vote = None if customer is None else _vote_of(action.session, idea, customer)
    if vote is not None and customer is not None and vote.direction is direction:
        raise Conflict(
            f"{customer.email} has {direction}voted {idea.title!r} already.",
            hint="A vote in the other direction changes it; withdraw-vote takes it back.",
        )
    if vote is None:
        new = new_row(
            VoteRow,
            id=action.new_id(),
            idea_id=idea.id,
            customer_id=None if customer is None else customer.id,
            direction=direction,
            created_at=action.now_ms,
        )
        insert_row(action.session, new)
    else:
        _shift(action.session, idea, vote.direction, by=-1)
        vote.direction = direction
    _shift(action.session, idea, direction, by=1)


def _take_back(action: Action, idea: IdeaRow, customer: CustomerRow | None) -> None:
    vote = _vote_of(action.session, idea, customer)
    if vote is None or vote.direction is not VoteDirection.UP:
        whose = "an anonymous upvote" if customer is None else f"an upvote of {customer.email}"
        raise Conflict(
            f"There is not {whose} on {idea.title!r} to take back.",
            hint="Under vote_model=toggle a downvote takes an upvote back.",
        )
    _shift(action.session, idea, vote.direction, by=-1)
    action.session.delete(vote)


def _shift(session: Session, idea: IdeaRow, direction: VoteDirection, *, by: int) -> None:
    """Change a counter. The database adds, so that no other change is overwritten.

    Raises:
        NotFound: the idea was deleted meanwhile.
    """
    up, down = (by, 0) if direction is VoteDirection.UP else (0, by)
    counted = fetch(session, _SHIFT, idea_id=idea.id, up=up, down=down)
    if not counted:
        raise deleted_meanwhile(f"idea {idea.title!r}")
    for name, votes in counted[0]._asdict().items():
        set_committed_value(idea, name, votes)


def _touch(action: Action, idea: IdeaRow, assumptions: AssumptionSet) -> None:
    if assumptions.vote_touches_updated_at:
        action.touch(idea)
    action.session.flush()


def _vote_of(session: Session, idea: IdeaRow, customer: CustomerRow | None) -> VoteRow | None:
    """Return a customer's vote or, without a customer, the newest anonymous upvote."""
    votes = select(VoteRow).where(VoteRow.idea_id == idea.id)
    if customer is not None:
        return session.scalars(votes.where(VoteRow.customer_id == customer.id)).one_or_none()
    return session.scalars(
        votes.where(VoteRow.customer_id.is_(None))
        .where(VoteRow.direction == VoteDirection.UP)
        .order_by(VoteRow.id.desc())
        .limit(1)
    ).one_or_none()
