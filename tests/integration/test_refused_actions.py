"""Contract c.2: what is refused, and what changes nothing. Neither leaves any trace.

"No trace" is meant literally: every row of every table is what it was.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from leanbe_emitter import Conflict, InvalidValue, LeanbeError, NotFound
from tests.support.database_dump import dump
from tests.support.scene import Scene, set_scene

Act = Callable[[Scene], object]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A refused action, its error, and a word of the message."""

    action: str
    act: Act
    error: type[LeanbeError]
    says: str
    given: Act = lambda _: None


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """Actions that change nothing."""

    action: str
    act: Act
    given: Act = lambda _: None


def attach(s: Scene) -> object:
    return s.product.idea_requests.attach(s.request, idea=s.idea)


def ignore(s: Scene) -> object:
    return s.product.idea_requests.ignore(s.request)


def archive(s: Scene) -> object:
    return s.product.ideas.update(s.idea, archived=True)


def promote(s: Scene) -> object:
    return s.product.ideas.promote(s.idea)


def upvote(s: Scene) -> object:
    return s.product.ideas.upvote(s.idea, customer=s.ana)


def downvote(s: Scene) -> object:
    return s.product.ideas.downvote(s.idea, customer=s.ana)


def stranger(s: Scene) -> str:
    """Return the id of a customer of the other product."""
    return s.other.customers.get("bea@example.com").id


def other_customer(s: Scene) -> object:
    return s.other.customers.create(email="bea@example.com")


def other_user(s: Scene) -> object:
    return s.other.users.create(email="eve@example.com", first_name="Eve")


def other_idea(s: Scene) -> object:
    return s.other.ideas.create(title="Elsewhere")


REFUSALS = [
    # --- requests ----------------------------------------------------------------------------
    Refusal(
        action="attach an attached request",
        given=attach,
        act=attach,
        error=Conflict,
        says="attached already",
    ),
    Refusal(
        action="attach an ignored request",
        given=ignore,
        act=attach,
        error=Conflict,
        says="ignored already",
    ),
    Refusal(
        action="attach to an archived idea",
        given=archive,
        act=attach,
        error=Conflict,
        says="archived",
    ),
    Refusal(
        action="attach to an idea of another product",
        given=other_idea,
        act=lambda s: s.product.idea_requests.attach(s.request, idea=s.other.ideas.list()[0].id),
        error=NotFound,
        says="no idea",
    ),
    Refusal(
        action="attach a request of another product",
        given=lambda s: s.other.idea_requests.create(title="Elsewhere"),
        act=lambda s: s.product.idea_requests.attach(
            s.other.idea_requests.list()[0].id, idea=s.idea
        ),
        error=NotFound,
        says="no idea request",
    ),
    Refusal(
        action="create an idea out of an attached request",
        given=attach,
        act=lambda s: s.product.ideas.create(title="Second", requests=[s.request]),
        error=Conflict,
        says="attached already",
    ),
    Refusal(
        action="create an idea out of one request twice",
        act=lambda s: s.product.ideas.create(title="Twice", requests=[s.request, s.request]),
        error=Conflict,
        says="attached twice",
    ),
    Refusal(
        action="ignore an ignored request",
        given=ignore,
        act=ignore,
        error=Conflict,
        says="ignored already",
    ),
    Refusal(
        action="ignore an attached request",
        given=attach,
        act=ignore,
        error=Conflict,
        says="attached already",
    ),
    Refusal(
        action="create a request of a customer of another product",
        given=other_customer,
        act=lambda s: s.product.idea_requests.create(title="Light", customer=stranger(s)),
        error=NotFound,
        says="no customer",
    ),
    # --- ideas and votes ---------------------------------------------------------------------
    Refusal(action="promote twice", given=promote, act=promote, error=Conflict, says="promoted"),
    Refusal(
        action="promote an archived idea",
        given=archive,
        act=promote,
        error=Conflict,
        says="archived",
    ),
    Refusal(
        action="upvote twice", given=upvote, act=upvote, error=Conflict, says="upvoted .* already"
    ),
    Refusal(
        action="downvote twice",
        given=downvote,
        act=downvote,
        error=Conflict,
        says="downvoted .* already",
    ),
    Refusal(
        action="vote on an archived idea",
        given=archive,
        act=upvote,
        error=Conflict,
        says="archived",
    ),
    Refusal(
        action="vote without a customer on an archived idea",
        given=archive,
        act=lambda s: s.product.ideas.downvote(s.idea),
        error=Conflict,
        says="archived",
    ),
    Refusal(
        action="vote of a customer of another product",
        given=other_customer,
        act=lambda s: s.product.ideas.upvote(s.idea, customer=stranger(s)),
        error=LeanbeError,
        says="customer",
    ),
    Refusal(
        action="vote of a team member",
        act=lambda s: s.product.ideas.upvote(s.idea, customer="paul@example.com"),
        error=NotFound,
        says="no customer",
    ),
    Refusal(
        action="withdraw a vote that nobody gave",
        act=lambda s: s.product.ideas.withdraw_vote(s.idea, customer=s.ana),
        error=Conflict,
        says="no vote",
    ),
    Refusal(
        action="withdraw twice",
        given=lambda s: (upvote(s), s.product.ideas.withdraw_vote(s.idea, customer=s.ana)),
        act=lambda s: s.product.ideas.withdraw_vote(s.idea, customer=s.ana),
        error=Conflict,
        says="no vote",
    ),
    Refusal(
        action="an owner who has no access to the product",
        given=other_user,
        act=lambda s: s.product.ideas.create(title="Mine", owner="eve@example.com"),
        error=NotFound,
        says="no access",
    ),
    Refusal(
        action="assign somebody who has no access to the product",
        given=other_user,
        act=lambda s: s.product.ideas.update(s.idea, title="T", assigned="eve@example.com"),
        error=NotFound,
        says="no access",
    ),
    Refusal(
        action="an idea without an owner",
        act=lambda s: s.product.ideas.update(s.idea, owner=None),  # type: ignore[arg-type]
        error=InvalidValue,
        says="owner",
    ),
    Refusal(
        action="an idea without a title",
        act=lambda s: s.product.ideas.create(description="What?"),
        error=InvalidValue,
        says="title",
    ),
    Refusal(
        action="an idea whose title is taken away",
        act=lambda s: s.product.ideas.update(s.idea, description="?", title=""),
        error=InvalidValue,
        says="title",
    ),
    Refusal(
        action="set what is derived",
        act=lambda s: s.product.ideas.update(s.idea, upvotes=7),  # type: ignore[call-arg]
        error=InvalidValue,
        says="upvotes",
    ),
    # --- customers ---------------------------------------------------------------------------
    Refusal(
        action="an e-mail that the product knows, in other letters",
        act=lambda s: s.product.customers.create(email="Ana@Example.COM"),
        error=Conflict,
        says="has a customer",
    ),
    Refusal(
        action="update to an e-mail that the product knows",
        given=lambda s: s.product.customers.create(email="bea@example.com"),
        act=lambda s: s.product.customers.update(
            "bea@example.com", city="Rome", email="ANA@example.com"
        ),
        error=Conflict,
        says="has a customer",
    ),
    Refusal(
        action="add a product that knows the e-mail",
        given=lambda s: s.other.customers.create(email="bea@example.com"),
        act=lambda s: s.product.customers.update(
            s.ana, email="bea@example.com", products=[s.product, s.other]
        ),
        error=Conflict,
        says="has a customer",
    ),
    Refusal(
        action="a customer without an e-mail",
        act=lambda s: s.product.customers.create(first_name="Bea"),
        error=InvalidValue,
        says="email",
    ),
    Refusal(
        action="what is no e-mail",
        act=lambda s: s.product.customers.update(s.ana, email="ana"),
        error=InvalidValue,
        says="ana",
    ),
    Refusal(
        action="a customer of no product",
        act=lambda s: s.product.customers.update(s.ana, city="Rome", products=[]),
        error=InvalidValue,
        says="one product",
    ),
    Refusal(
        action="a customer of a product that is not there",
        act=lambda s: s.product.customers.update(s.ana, products=[s.product, "Nowhere"]),
        error=NotFound,
        says="Nowhere",
    ),
    Refusal(
        action="an e-mail that no database can hold",
        act=lambda s: s.product.customers.create(email="a\0@example.com"),
        error=InvalidValue,
        says="no database can hold",
    ),
    Refusal(
        action="a request of an e-mail that no database can hold",
        act=lambda s: s.product.idea_requests.create(title="T", customer="\ud800@example.com"),
        error=InvalidValue,
        says="no database can hold",
    ),
    Refusal(
        action="a colour that is none",
        act=lambda s: s.product.customers.update(s.ana, bg_color="red"),
        error=InvalidValue,
        says="red",
    ),
    Refusal(
        action="text that no database can hold",
        act=lambda s: s.product.customers.update(s.ana, city="Ro\0me"),
        error=InvalidValue,
        says="no database can hold",
    ),
    Refusal(
        action="text that no database can hold, inside",
        act=lambda s: s.product.customers.update(s.ana, notes=["one", "\ud800"]),
        error=InvalidValue,
        says="no database can hold",
    ),
    Refusal(
        action="text that no database can hold, in what is passed through",
        act=lambda s: s.product.customers.update(s.ana, image={"sizes": [{"url": "\udfff"}]}),
        error=InvalidValue,
        says="no database can hold",
    ),
    Refusal(
        action="a key that no database can hold, in what is passed through",
        act=lambda s: s.product.customers.update(s.ana, image={"\0": 1}),
        error=InvalidValue,
        says="no database can hold",
    ),
    # --- backlog items, OKRs, announcements --------------------------------------------------
    Refusal(
        action="a status that the product does not have",
        act=lambda s: s.product.backlog_items.update(s.item, title="Paint", status="Shipped"),
        error=InvalidValue,
        says="Shipped",
    ),
    Refusal(
        action="take away a status that is in use",
        act=lambda s: s.leanbe.products.set_statuses(s.product, ["Done"]),
        error=Conflict,
        says="To Do",
    ),
    Refusal(
        action="no statuses at all",
        act=lambda s: s.leanbe.products.set_statuses(s.other, []),
        error=InvalidValue,
        says="statuses",
    ),
    Refusal(
        action="an OKR that ends before it begins",
        act=lambda s: s.product.okrs.update(
            s.okr, title="Soon", start_date="2023-07-02", end_date="2023-07-01"
        ),
        error=InvalidValue,
        says="before",
    ),
    Refusal(
        action="set progress, which is derived",
        act=lambda s: s.product.okrs.update(s.okr, progress=50),  # type: ignore[call-arg]
        error=InvalidValue,
        says="progress",
    ),
    Refusal(
        action="check in a key result that is not there",
        act=lambda s: s.product.okrs.check_in(s.okr, key_result="Users", value=1),
        error=NotFound,
        says="Users",
    ),
    Refusal(
        action="check in what is no number",
        act=lambda s: s.product.okrs.check_in(s.okr, key_result="Reports", value=float("nan")),
        error=InvalidValue,
        says="no finite number",
    ),
    Refusal(
        action="a key result without a target",
        act=lambda s: s.product.okrs.update(s.okr, key_results=[{"title": "Users"}]),
        error=InvalidValue,
        says="targetValue",
    ),
    Refusal(
        action="a key result of another OKR",
        act=lambda s: s.product.okrs.update(
            s.okr, title="T", key_results=[{"_id": "0" * 24, "title": "U", "targetValue": 1}]
        ),
        error=NotFound,
        says="key result",
    ),
    Refusal(
        action="a status that announcements do not have",
        act=lambda s: s.product.announcements.update(s.news, title="T", status="sent"),
        error=InvalidValue,
        says="sent",
    ),
    Refusal(
        action="what is not there any more",
        given=lambda s: s.product.announcements.delete(s.news),
        act=lambda s: s.product.announcements.publish(s.news),
        error=NotFound,
        says="no announcement",
    ),
    Refusal(
        action="a document of another product",
        act=lambda s: s.other.okrs.delete(s.okr.id),
        error=NotFound,
        says="no OKR",
    ),
    Refusal(
        action="a field that there is not",
        act=lambda s: s.product.announcements.update(s.news, titel="T"),  # type: ignore[call-arg]
        error=InvalidValue,
        says="titel",
    ),
]

NOTHINGS = [
    Nothing(
        action="update a customer to what is known",
        act=lambda s: s.product.customers.update(
            s.ana, first_name="Ana", notes=["met in May"], products=[s.product], city=None
        ),
    ),
    Nothing(
        action="confirm the confirmed",
        given=lambda s: s.product.customers.confirm(s.ana),
        act=lambda s: s.product.customers.confirm(s.ana),
    ),
    Nothing(
        action="update an idea to what it is",
        act=lambda s: s.product.ideas.update(
            s.idea, title="Dark mode", tags=["ui"], archived=False, owner=s.owner, assigned=None
        ),
    ),
    Nothing(action="update nothing of an idea", act=lambda s: s.product.ideas.update(s.idea)),
    Nothing(
        action="the status that it has",
        act=lambda s: s.product.backlog_items.set_status(s.item, "To Do"),
    ),
    Nothing(
        action="update a backlog item to what it is",
        act=lambda s: s.product.backlog_items.update(s.item, title="Paint it", status="To Do"),
    ),
    Nothing(
        action="the measure that is known",
        act=lambda s: s.product.okrs.check_in(s.okr, key_result="Reports", value=40.0),
    ),
    Nothing(
        action="update an OKR to what it is",
        act=lambda s: s.product.okrs.update(
            s.okr,
            title="Fewer headaches",
            key_results=[{"_id": each["_id"]} for each in s.okr.document()["keyResults"]],
        ),
    ),
    Nothing(
        action="publish the published",
        given=lambda s: s.product.announcements.publish(s.news),
        act=lambda s: s.product.announcements.publish(s.news),
    ),
    Nothing(action="unpublish a draft", act=lambda s: s.product.announcements.unpublish(s.news)),
    Nothing(
        action="the name that a product has",
        act=lambda s: s.leanbe.products.rename(s.product, "Acme"),
    ),
    Nothing(
        action="the statuses that a product has",
        act=lambda s: s.leanbe.products.set_statuses(
            s.product, ["To Do", "In Progress", "In Review", "Done"]
        ),
    ),
]


@pytest.mark.parametrize("row", REFUSALS, ids=[row.action for row in REFUSALS])
def test_a_refused_action_leaves_no_trace_and_says_why(scene: Scene, row: Refusal) -> None:
    with scene.earlier():
        row.given(scene)
    before = dump(scene.leanbe._database)
    with pytest.raises(row.error, match=row.says) as refused:
        row.act(scene)
    assert dump(scene.leanbe._database) == before
    assert refused.value.code


@pytest.mark.parametrize("row", REFUSALS, ids=[row.action for row in REFUSALS])
def test_an_action_refused_inside_a_transaction_leaves_no_trace_in_it(row: Refusal) -> None:
    with set_scene(":memory:") as scene, set_scene(":memory:") as twin:
        for each in (scene, twin):
            with each.earlier():
                row.given(each)
            with each.leanbe.transaction():
                if each is scene:
                    with pytest.raises(row.error):
                        row.act(scene)
                each.product.okrs.update(each.okr, title="Still here")
        assert _documents(scene) == _documents(twin)


@pytest.mark.parametrize("row", NOTHINGS, ids=[row.action for row in NOTHINGS])
def test_an_action_that_changes_nothing_leaves_no_trace(scene: Scene, row: Nothing) -> None:
    with scene.earlier():
        row.given(scene)
    before = dump(scene.leanbe._database)
    row.act(scene)
    assert dump(scene.leanbe._database) == before


def _documents(s: Scene) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows but those that hold ids of events and transactions."""
    told = {"events", "deliveries", "journal"}
    return {table: rows for table, rows in dump(s.leanbe._database).items() if table not in told}
