"""Contract c.3, row by row: an action, the events that it raises, and what their payloads say.

Each row is performed in ``tests.support.scene``: Ana is a customer of the product Acme; there
is a new request of hers, an idea, a backlog item, an OKR and a draft announcement.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.expected_documents import (
    Document,
    altered,
    resource_of,
    text_of,
    without_context,
)
from tests.support.minimal_documents import (
    new_announcement,
    new_customer,
    new_idea,
    new_item,
    new_okr,
    new_request,
)
from tests.support.scene import JUST_AFTER_THEN, NOW, URL, Scene, record_events, set_scene

Says = list[tuple[str, Document]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table.

    Attributes:
        action: the contract's words for it.
        act: does it.
        says: the events in order, each with its payload; told before the act.
        given: what has happened before.
        cascade: the names of the events under ``cascade = updated``; empty: the same.
    """

    action: str
    act: Callable[[Scene], object]
    says: Callable[[Scene], Says]
    given: Callable[[Scene], object] = lambda _: None
    cascade: str = ""


def nothing(_: Scene) -> Says:
    return []


def known_elsewhere(s: Scene) -> None:
    s.other.customers.create(email="bea@example.com", first_name="Bea", source="Widget")


def bea_joins(s: Scene) -> Says:
    """Return what both products of Bea's hear when Acme is added to the other one."""
    bea = s.other.customers.get("bea@example.com").document()
    joined = altered(bea, products=[s.other_ref, s.product_ref], updatedAt=NOW)
    return [("customer.updated", joined), ("customer.updated", joined)]


def request_of_somebody_new(s: Scene) -> Says:
    bea, request = s.new_ids(2)
    reference = {"_id": bea, "email": "bea@example.com"}
    made = new_request(s, _id=request, title="Light", customer=reference, source="Portal")
    return [
        ("customer.created", new_customer(s, email="bea@example.com", source="Portal")),
        ("ideaRequest.created", made),
    ]


def request_of_somebody_from_elsewhere(s: Scene) -> Says:
    bea = s.other.customers.get("bea@example.com")
    reference = {"_id": bea.id, "firstName": "Bea", "email": "bea@example.com"}
    made = new_request(s, title="Light", customer=reference, source="Portal")
    return [*bea_joins(s), ("ideaRequest.created", made)]


def second_request(s: Scene) -> None:
    s.product.idea_requests.create(title="Darker")


def darker(s: Scene) -> Document:
    return next(
        each.document() for each in s.product.idea_requests.list() if each.title == "Darker"
    )


def idea_out_of_requests(s: Scene) -> Says:
    second = darker(s)
    requests = [{"id": second["_id"], "title": "Darker"}, s.request_ref]
    idea = {"_id": s.new_ids(1)[0], "title": "Night"}
    attached = altered(second, status="attached", idea=idea, updatedAt=NOW)
    return [
        ("idea.created", new_idea(s, title="Night", ideaRequests=requests)),
        ("ideaRequest.attachedToIdea", attached),
        ("ideaRequest.attachedToIdea", s.idea_request(status="attached", idea=idea)),
    ]


def votes(up: int, down: int = 0) -> Callable[[Scene], None]:
    """Return what gives the idea so many anonymous votes."""

    def vote(s: Scene) -> None:
        for _ in range(up):
            s.product.ideas.upvote(s.idea)
        for _ in range(down):
            s.product.ideas.downvote(s.idea)

    return vote


def upvoted(s: Scene) -> None:
    s.product.ideas.upvote(s.idea, customer=s.ana)


def downvoted(s: Scene) -> None:
    s.product.ideas.downvote(s.idea, customer=s.ana)


def promotion(s: Scene) -> Says:
    item = new_item(s, title="Dark mode", tags=[{"title": "ui"}], idea=s.idea_ref)
    described = {"description": "All <black>", "descriptionHTML": "<p>All &lt;black&gt;</p>"}
    return [
        ("idea.promoted", s.the_idea(promoted=True)),
        ("backlogItem.created", {**item, **described}),
    ]


def item_status(status: str) -> Callable[[Scene], Says]:
    return lambda s: [
        ("backlogItem.statusChanged", s.backlog_item(status=status, previousStatus="To Do"))
    ]


def new_objective(s: Scene) -> Says:
    okr, users = s.new_ids(2)
    measured = {"_id": users, "title": "Users", "startValue": 5, "currentValue": 5}
    keys = [{**measured, "targetValue": 10, "progress": 0}]
    times = {"startDate": "2023-07-01T00:00:00.000Z", "endDate": "2023-09-30T00:00:00.000Z"}
    return [("okr.created", new_okr(s, _id=okr, title="Grow", keyResults=keys, **times))]


def measures(s: Scene) -> list[Document]:
    """Return the key results of the scene's OKR."""
    return [dict(each) for each in s.okr.document()["keyResults"]]


def measured_again(s: Scene) -> Says:
    reports, score = measures(s)
    reports = {**reports, "currentValue": 35, "progress": 25}
    return [("okr.updated", s.the_okr(keyResults=[reports, score], progress=13))]


def one_more_measure(s: Scene) -> Says:
    calls = {"_id": s.new_ids(1)[0], "title": "Calls", "startValue": 0, "currentValue": 0}
    calls = {**calls, "targetValue": 9, "progress": 0}
    return [("okr.updated", s.the_okr(keyResults=[*measures(s), calls]))]


def renamed_measure(s: Scene) -> Says:
    reports, score = measures(s)
    return [("okr.updated", s.the_okr(keyResults=[{**reports, "title": "Tickets"}, score]))]


def measure(s: Scene, number: int) -> Document:
    return {"_id": measures(s)[number]["_id"]}


def published(s: Scene) -> None:
    s.product.announcements.publish(s.news)


TABLE = [
    # --- customers ---------------------------------------------------------------------------
    Row(
        action="create customer",
        act=lambda s: s.product.customers.create(email="bea@example.com"),
        says=lambda s: [("customer.created", new_customer(s, email="bea@example.com"))],
    ),
    Row(
        action="create customer known in another product",
        given=known_elsewhere,
        act=lambda s: s.product.customers.create(email="BEA@example.com"),
        says=bea_joins,
    ),
    Row(
        action="update customer, several fields at once",
        act=lambda s: s.product.customers.update(s.ana, city="Porto", last_name=None),
        says=lambda s: [("customer.updated", s.customer(city="Porto", lastName=None))],
    ),
    Row(
        action="confirm customer",
        act=lambda s: s.product.customers.confirm(s.ana),
        says=lambda s: [("customer.updated", s.customer(confirmed=True))],
    ),
    Row(
        action="add note",
        act=lambda s: s.product.customers.update(s.ana, notes=["met in May", "likes it"]),
        says=lambda s: [
            ("customer.updated", s.customer(notes=[{"note": "met in May"}, {"note": "likes it"}]))
        ],
    ),
    Row(
        action="add device",
        act=lambda s: s.product.customers.update(
            s.ana, devices=[{"brand": "Fair", "name": "Phone"}]
        ),
        says=lambda s: [
            (
                "customer.updated",
                s.customer(devices=[{"_id": s.new_ids(1)[0], "name": "Phone", "brand": "Fair"}]),
            )
        ],
    ),
    Row(
        action="add billing",
        act=lambda s: s.product.customers.update(
            s.ana, billing_details=[{"plan_price": "$9", "_id": "billing1"}]
        ),
        says=lambda s: [
            (
                "customer.updated",
                s.customer(billing_details=[{"_id": "billing1", "plan_price": "$9"}]),
            )
        ],
    ),
    Row(
        action="add product",
        act=lambda s: s.product.customers.update(s.ana, products=[s.product, s.other]),
        says=lambda s: [
            ("customer.updated", s.customer(products=[s.product_ref, s.other_ref])),
            ("customer.updated", s.customer(products=[s.product_ref, s.other_ref])),
        ],
    ),
    Row(
        action="delete customer",
        given=upvoted,
        act=lambda s: s.product.customers.delete(s.ana),
        says=lambda s: [("customer.deleted", s.ana.document())],
    ),
    # --- idea requests -----------------------------------------------------------------------
    Row(
        action="create request, known customer",
        act=lambda s: s.product.idea_requests.create(title="Light", customer=s.ana),
        says=lambda s: [("ideaRequest.created", new_request(s, title="Light", customer=s.ana_ref))],
    ),
    Row(
        action="create request, known e-mail in other letters",
        act=lambda s: s.product.idea_requests.create(title="Light", customer="ANA@example.com"),
        says=lambda s: [("ideaRequest.created", new_request(s, title="Light", customer=s.ana_ref))],
    ),
    Row(
        action="create request, nobody known",
        act=lambda s: s.product.idea_requests.create(title="Light"),
        says=lambda s: [("ideaRequest.created", new_request(s, title="Light"))],
    ),
    Row(
        action="create request, new e-mail",
        act=lambda s: s.product.idea_requests.create(
            title="Light", customer="bea@example.com", source="Portal"
        ),
        says=request_of_somebody_new,
    ),
    Row(
        action="create request, an e-mail known in another product only",
        given=known_elsewhere,
        act=lambda s: s.product.idea_requests.create(
            title="Light", customer="Bea@example.com", source="Portal"
        ),
        says=request_of_somebody_from_elsewhere,
    ),
    Row(
        action="attach request to existing idea",
        act=lambda s: s.product.idea_requests.attach(s.request, idea=s.idea),
        says=lambda s: [
            ("ideaRequest.attachedToIdea", s.idea_request(status="attached", idea=s.idea_ref))
        ],
        cascade="ideaRequest.attachedToIdea idea.updated",
    ),
    Row(
        action="create idea out of requests",
        given=second_request,
        act=lambda s: s.product.ideas.create(title="Night", requests=[darker(s)["_id"], s.request]),
        says=idea_out_of_requests,
    ),
    Row(
        action="ignore request",
        act=lambda s: s.product.idea_requests.ignore(s.request),
        says=lambda s: [("ideaRequest.ignored", s.idea_request(status="ignored"))],
    ),
    # --- ideas -------------------------------------------------------------------------------
    Row(
        action="create idea",
        act=lambda s: s.product.ideas.create(title="Light mode"),
        says=lambda s: [("idea.created", new_idea(s, title="Light mode"))],
    ),
    Row(
        action="update idea, several fields at once",
        act=lambda s: s.product.ideas.update(s.idea, title="Darker", visibility="private"),
        says=lambda s: [("idea.updated", s.the_idea(title="Darker", visibility="private"))],
    ),
    Row(
        action="archive idea",
        act=lambda s: s.product.ideas.update(s.idea, archived=True),
        says=lambda s: [("idea.updated", s.the_idea(archived=True))],
    ),
    Row(
        action="unarchive idea",
        given=lambda s: s.product.ideas.update(s.idea, archived=True),
        act=lambda s: s.product.ideas.update(s.idea, archived=False),
        says=lambda s: [("idea.updated", s.the_idea())],
    ),
    Row(
        action="assign idea",
        act=lambda s: s.product.ideas.update(s.idea, assigned="paul@example.com"),
        says=lambda s: [("idea.updated", s.the_idea(assigned=s.paul.document()))],
    ),
    Row(
        action="give idea another owner",
        act=lambda s: s.product.ideas.update(s.idea, owner=s.paul),
        says=lambda s: [("idea.updated", s.the_idea(owner=s.paul.document()))],
    ),
    Row(
        action="tag idea",
        act=lambda s: s.product.ideas.update(s.idea, tags=[{"title": "ui"}, {"title": "eyes"}]),
        says=lambda s: [("idea.updated", s.the_idea(tags=[{"title": "ui"}, {"title": "eyes"}]))],
    ),
    Row(
        action="upvote",
        act=upvoted,
        says=lambda s: [("idea.upVoted", s.the_idea(upvotes=1, customer=s.ana_ref))],
        cascade="idea.upVoted idea.updated",
    ),
    Row(
        action="switch to up",
        given=downvoted,
        act=upvoted,
        says=lambda s: [("idea.upVoted", s.the_idea(upvotes=1, customer=s.ana_ref))],
        cascade="idea.upVoted idea.updated",
    ),
    Row(
        action="downvote",
        act=downvoted,
        says=lambda s: [("idea.downVoted", s.the_idea(upvotes=0, customer=s.ana_ref))],
        cascade="idea.downVoted idea.updated",
    ),
    Row(
        action="switch to down",
        given=upvoted,
        act=downvoted,
        says=lambda s: [("idea.downVoted", s.the_idea(upvotes=0, customer=s.ana_ref))],
        cascade="idea.downVoted idea.updated",
    ),
    Row(
        action="upvote without a customer, again",
        given=votes(1),
        act=lambda s: s.product.ideas.upvote(s.idea),
        says=lambda s: [("idea.upVoted", s.the_idea(upvotes=2))],
        cascade="idea.upVoted idea.updated",
    ),
    Row(
        action="downvote without a customer, again",
        given=votes(1, 1),
        act=lambda s: s.product.ideas.downvote(s.idea),
        says=lambda s: [("idea.downVoted", s.the_idea(upvotes=1))],
        cascade="idea.downVoted idea.updated",
    ),
    Row(
        action="withdraw a vote",
        given=upvoted,
        act=lambda s: s.product.ideas.withdraw_vote(s.idea, customer=s.ana),
        says=nothing,
        cascade="idea.updated",
    ),
    Row(
        action="promote idea, creating a backlog item",
        act=lambda s: s.product.ideas.promote(s.idea),
        says=promotion,
        cascade="idea.promoted idea.updated backlogItem.created",
    ),
    Row(
        action="delete idea",
        given=lambda s: s.product.idea_requests.attach(s.request, idea=s.idea),
        act=lambda s: s.product.ideas.delete(s.idea),
        says=lambda s: [
            (
                "idea.deleted",
                altered(s.idea.document(), ideaRequests=[s.request_ref], updatedAt=JUST_AFTER_THEN),
            )
        ],
    ),
    # --- backlog items -----------------------------------------------------------------------
    Row(
        action="create backlog item",
        act=lambda s: s.product.backlog_items.create(title="Test it"),
        says=lambda s: [("backlogItem.created", new_item(s, title="Test it"))],
    ),
    Row(
        action="update backlog item without status",
        act=lambda s: s.product.backlog_items.update(s.item, title="Paint", assigned=s.paul),
        says=lambda s: [
            ("backlogItem.updated", s.backlog_item(title="Paint", assigned=s.paul.document()))
        ],
    ),
    Row(
        action="set status only",
        act=lambda s: s.product.backlog_items.set_status(s.item, "Done"),
        says=item_status("Done"),
        cascade="backlogItem.statusChanged backlogItem.updated",
    ),
    Row(
        action="update the status only",
        act=lambda s: s.product.backlog_items.update(s.item, title="Paint it", status="Done"),
        says=item_status("Done"),
        cascade="backlogItem.statusChanged backlogItem.updated",
    ),
    Row(
        action="update fields and status in one save",
        act=lambda s: s.product.backlog_items.update(s.item, title="Paint", status="In Review"),
        says=lambda s: [
            ("backlogItem.updated", s.backlog_item(title="Paint", status="In Review")),
            (
                "backlogItem.statusChanged",
                s.backlog_item(title="Paint", status="In Review", previousStatus="To Do"),
            ),
        ],
    ),
    Row(
        action="delete backlog item",
        act=lambda s: s.product.backlog_items.delete(s.item),
        says=lambda s: [("backlogItem.deleted", s.item.document())],
    ),
    # --- OKRs --------------------------------------------------------------------------------
    Row(
        action="create OKR",
        act=lambda s: s.product.okrs.create(
            title="Grow",
            start_date="2023-07-01",
            end_date="2023-09-30T00:00:00.000Z",
            key_results=[{"title": "Users", "startValue": 5, "targetValue": 10}],
        ),
        says=new_objective,
    ),
    Row(
        action="update OKR",
        act=lambda s: s.product.okrs.update(s.okr, description="By autumn"),
        says=lambda s: [("okr.updated", s.the_okr(description="By autumn"))],
    ),
    Row(
        action="check in key result",
        act=lambda s: s.product.okrs.check_in(s.okr, key_result="Reports", value=35),
        says=measured_again,
    ),
    Row(
        action="add key result",
        act=lambda s: s.product.okrs.update(
            s.okr, key_results=[measure(s, 0), measure(s, 1), {"title": "Calls", "targetValue": 9}]
        ),
        says=one_more_measure,
    ),
    Row(
        action="edit key result",
        act=lambda s: s.product.okrs.update(
            s.okr, key_results=[{**measure(s, 0), "title": "Tickets"}, measure(s, 1)]
        ),
        says=renamed_measure,
    ),
    Row(
        action="remove key result",
        act=lambda s: s.product.okrs.update(s.okr, key_results=[measure(s, 1)]),
        says=lambda s: [("okr.updated", s.the_okr(keyResults=measures(s)[1:]))],
    ),
    Row(
        action="delete OKR",
        act=lambda s: s.product.okrs.delete(s.okr),
        says=lambda s: [("okr.deleted", s.okr.document())],
    ),
    # --- announcements -----------------------------------------------------------------------
    Row(
        action="create announcement",
        act=lambda s: s.product.announcements.create(title="Light"),
        says=lambda s: [("announcement.created", new_announcement(s, title="Light"))],
    ),
    Row(
        action="create and publish announcement",
        act=lambda s: s.product.announcements.create(title="Light", status="published"),
        says=lambda s: [
            (
                "announcement.created",
                new_announcement(s, title="Light", status="published", publishedAt=NOW),
            )
        ],
    ),
    Row(
        action="edit announcement",
        act=lambda s: s.product.announcements.update(s.news, categories=["News", "Eyes"]),
        says=lambda s: [
            (
                "announcement.updated",
                s.announcement(categories=[{"title": "News"}, {"title": "Eyes"}]),
            )
        ],
    ),
    Row(
        action="publish announcement",
        act=published,
        says=lambda s: [
            ("announcement.updated", s.announcement(status="published", publishedAt=NOW))
        ],
    ),
    Row(
        action="unpublish announcement",
        given=published,
        act=lambda s: s.product.announcements.unpublish(s.news),
        says=lambda s: [("announcement.updated", s.announcement())],
    ),
    Row(
        action="delete announcement",
        act=lambda s: s.product.announcements.delete(s.news),
        says=lambda s: [("announcement.deleted", s.news.document())],
    ),
    # --- what no event tells of --------------------------------------------------------------
    Row(action="create product", act=lambda s: s.leanbe.products.create("New"), says=nothing),
    Row(
        action="rename product",
        act=lambda s: s.leanbe.products.rename(s.product, "Bcme"),
        says=nothing,
    ),
    Row(
        action="set statuses",
        act=lambda s: s.leanbe.products.set_statuses(s.product, ["To Do", "Shipped"]),
        says=nothing,
    ),
    Row(
        action="create user",
        act=lambda s: s.product.users.create(email="eve@example.com", first_name="Eve"),
        says=nothing,
    ),
    Row(
        action="grant user",
        act=lambda s: s.leanbe.users.grant(s.paul, product=s.other),
        says=nothing,
    ),
    Row(
        action="set webhook",
        act=lambda s: s.leanbe.webhooks.set(s.product, f"{URL}/2"),
        says=nothing,
    ),
    Row(action="rotate secret", act=lambda s: s.leanbe.webhooks.rotate(s.product), says=nothing),
    Row(action="clear webhook", act=lambda s: s.leanbe.webhooks.clear(s.product), says=nothing),
    Row(action="delete product", act=lambda s: s.leanbe.products.delete(s.product), says=nothing),
]

rows = pytest.mark.parametrize("row", TABLE, ids=[row.action for row in TABLE])


@rows
def test_an_action_raises_the_events_of_its_row_and_no_other(scene: Scene, row: Row) -> None:
    with scene.earlier():
        row.given(scene)
    expected = [(name, text_of(resource_of(name), said)) for name, said in row.says(scene)]
    with record_events(scene.leanbe) as events:
        row.act(scene)
    assert events.names_and_payloads == expected


@rows
def test_a_generic_event_follows_a_specific_one_where_the_product_reads_d_13_so(row: Row) -> None:
    with set_scene(":memory:", cascade="updated") as scene:
        with scene.earlier():
            row.given(scene)
        names = " ".join(name for name, _ in row.says(scene))
        with record_events(scene.leanbe) as events:
            row.act(scene)
        assert events.names == (row.cascade or names)
        for event in events.events:
            shown = {
                text_of(resource_of(each.name), without_context(each.name, each.payload))
                for each in events.events
                if each.payload["_id"] == event.payload["_id"]
            }
            assert len(shown) == 1, "events of one action show its document as it is at the end"
