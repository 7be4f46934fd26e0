"""The six resources of a product: looked up, listed, changed and deleted, on every database."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from leanbe_emitter import (
    Conflict,
    Customer,
    Idea,
    IdeaRequest,
    InvalidValue,
    Leanbe,
    ManualClock,
    NotFound,
    Page,
    Product,
)
from leanbe_emitter.storage.schema.document_tables import CustomerRow, VoteRow
from tests.support.concurrency import call_at_once, until_somebody_waits
from tests.support.loopback_receiver import LoopbackReceiver

pytestmark = pytest.mark.any_database

IN_MEMORY = pytest.mark.parametrize("db", [":memory:"])
RESOURCES = ("customers", "ideas", "idea_requests", "backlog_items", "okrs", "announcements")


class Oops(Exception):
    """The error that goes wrong in the tests on purpose."""


def make(product: Product, resource: str, name: str = "x") -> Any:
    """Make a document of a kind."""
    if resource == "customers":
        return product.customers.create(email=f"{name}@example.com")
    return getattr(product, resource).create(title=name)


def events_of_calls(leanbe: Leanbe, *calls: Callable[[], object]) -> list[str]:
    """Return the names of the events that calls raise."""
    with leanbe.foreground(deliver=False) as seen:
        for call in calls:
            call()
    return [each.name for each in seen.recorded]


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_document_is_named_by_snapshot_id_or_a_part_of_the_id(
    product: Product, resource: str
) -> None:
    made, documents = make(product, resource), getattr(product, resource)
    for reference in (made, made.id, made.id[-6:], f"…{made.id[-6:]}", made.id.upper()):
        assert documents.get(reference) == made


@IN_MEMORY
@pytest.mark.parametrize("resource", RESOURCES)
def test_documents_of_another_product_are_not_found(
    leanbe: Leanbe, product: Product, resource: str
) -> None:
    other = make(leanbe.products.create("Other"), resource)
    documents = getattr(product, resource)
    for reference in (other, other.id, other.id[-6:], "nobody", "", "\0"):
        with pytest.raises(NotFound):
            documents.get(reference)
    for change in {"update", "delete", "ignore", "promote"} & set(dir(documents)):
        with pytest.raises(NotFound):
            getattr(documents, change)(other)


def test_a_customer_is_named_by_email_too(product: Product) -> None:
    ana = product.customers.create(email="Ana@example.com")
    assert product.customers.get(" ana@EXAMPLE.com") == ana
    with pytest.raises(NotFound, match=r"Did you mean ana@example\.com"):
        product.customers.get("ana@exmaple.com")


def test_a_reference_in_a_document_names_its_object(product: Product) -> None:
    ana = product.customers.create(email="ana@example.com")
    request = product.idea_requests.create(title="R", customer=ana)
    assert request.customer is not None
    assert product.customers.get(request.customer) == ana
    idea = product.ideas.create(title="I", requests=[request])
    request = product.idea_requests.get(idea.idea_requests[0])
    assert request.idea is not None
    product.ideas.promote(request.idea)
    item = product.backlog_items.list()[0]
    assert item.idea is not None
    assert product.ideas.get(item.idea).promoted
    assert product.users.get(item.owner).email == "owner@example.com"
    assert product.ideas.update(idea, assigned=item.owner).assigned == item.owner


@pytest.mark.parametrize("resource", sorted(set(RESOURCES) - {"idea_requests"}))
def test_a_deleted_document_is_gone(leanbe: Leanbe, product: Product, resource: str) -> None:
    made, documents = make(product, resource), getattr(product, resource)
    last = made.document()
    documents.delete(made)
    assert documents.list() == []
    assert leanbe.deliveries.last("*.deleted").event.payload == last
    for call in (documents.get, documents.delete, documents.update):
        with pytest.raises(NotFound):
            call(made)


@pytest.mark.parametrize("resource", sorted(set(RESOURCES) - {"idea_requests"}))
def test_an_update_without_fields_changes_nothing(
    leanbe: Leanbe, product: Product, resource: str
) -> None:
    made, documents = make(product, resource), getattr(product, resource)
    assert events_of_calls(leanbe, lambda: documents.update(made)) == []
    assert documents.get(made) == made


def test_every_verb_returns_what_is_there_at_its_end(product: Product) -> None:
    ana = product.customers.create(email="ana@example.com")
    assert product.customers.confirm(ana).confirmed
    idea = product.ideas.create(title="I")
    assert product.ideas.upvote(idea, customer=ana).upvotes == 1
    assert product.ideas.upvote(idea).upvotes == 2
    assert product.ideas.downvote(idea, customer="ana@example.com").upvotes == 1
    assert product.ideas.withdraw_vote(idea, customer=ana).upvotes == 1
    request = product.idea_requests.create(title="R")
    attached = product.idea_requests.attach(request, idea=idea)
    assert (attached.status, attached.idea and attached.idea.id) == ("attached", idea.id)
    assert product.ideas.get(idea).idea_requests[0].title == "R"
    other = product.idea_requests.create(title="S")
    assert product.idea_requests.ignore(other).status == "ignored"
    assert product.ideas.promote(idea).promoted
    item = product.backlog_items.list(idea=idea)[0]
    assert product.backlog_items.set_status(item, "Done").status == "Done"
    okr = product.okrs.create(title="O", key_results=[{"title": "k", "targetValue": 4}])
    assert product.okrs.check_in(okr, key_result="k", value=1).progress == 25
    assert product.okrs.check_in(okr, key_result=okr.key_results[0], value=2).progress == 50
    news = product.announcements.create(title="A")
    published = product.announcements.publish(news)
    assert published.status == "published"
    assert published.published_at
    # Within the millisecond of its creation, the update moves on past it (`Action.touch`).
    assert news.created_at <= published.published_at <= published.updated_at
    assert product.announcements.unpublish(news).published_at is None


def test_an_action_whose_effect_is_there_already_raises_no_event(
    leanbe: Leanbe, product: Product
) -> None:
    ana = product.customers.create(email="ana@example.com", confirmed=True)
    item = product.backlog_items.create(title="B")
    news = product.announcements.create(title="A")
    okr = product.okrs.create(title="O", key_results=[{"title": "k", "targetValue": 4}])
    assert not events_of_calls(
        leanbe,
        lambda: product.customers.confirm(ana),
        lambda: product.backlog_items.set_status(item, item.status),
        lambda: product.announcements.unpublish(news),
        lambda: product.okrs.check_in(okr, key_result="k", value=0),
    )
    assert product.backlog_items.get(item).updated_at == item.updated_at


def test_an_idea_is_made_of_new_requests_each_once(leanbe: Leanbe, product: Product) -> None:
    first, second = (product.idea_requests.create(title=title) for title in "ab")
    twice: list[list[IdeaRequest | str]] = [[first, first], [first, first.id[-6:]]]
    for requests in twice:
        with pytest.raises(Conflict, match="twice"):
            product.ideas.create(title="I", requests=requests)
    with pytest.raises(Conflict, match="archived"):
        product.ideas.create(title="I", archived=True, requests=[first])
    assert events_of_calls(
        leanbe, lambda: product.ideas.create(title="I", requests=[second.id[-6:], first])
    ) == ["idea.created", "ideaRequest.attachedToIdea", "ideaRequest.attachedToIdea"]
    (idea,) = product.ideas.list()
    assert [each.title for each in idea.idea_requests] == ["b", "a"]
    with pytest.raises(Conflict, match="attached already"):
        product.ideas.create(title="J", requests=[first])


def test_a_request_brings_its_customer(leanbe: Leanbe, product: Product) -> None:
    def ask(email: str) -> list[str]:
        return events_of_calls(
            leanbe, lambda: product.idea_requests.create(title="R", customer=email, source="Widget")
        )

    assert ask("ana@example.com") == ["customer.created", "ideaRequest.created"]
    assert ask("ANA@example.com") == ["ideaRequest.created"]
    (ana,) = product.customers.list()
    assert (ana.email, ana.source) == ("ana@example.com", "Widget")
    other = leanbe.products.create("Other")
    bob = other.customers.create(email="bob@example.com")
    assert ask("Bob@example.com") == ["customer.updated"] * 2 + ["ideaRequest.created"]
    now = product.customers.get("bob@example.com")
    assert [each.name for each in now.products] == ["Other", "Acme"]
    assert (now.id, now.email, now.source) == (bob.id, bob.email, bob.source)


# Lists.


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still: all documents are of one instant."""
    return ManualClock(datetime(2023, 7, 3, 9, tzinfo=UTC))


@pytest.fixture
def still(db: str, clock: ManualClock) -> Iterator[Product]:
    """A product whose documents are all of one instant."""
    with Leanbe(db, clock=clock, seed=1) as leanbe:
        yield leanbe.products.create("Acme")


def pages(page: Callable[[str | None], Page[Any]]) -> list[list[Any]]:
    """Return all pages, from the first on."""
    found, cursor, last = [], None, False
    while not last:
        one = page(cursor)
        found.append([*one])
        cursor, last = one.cursor, one.cursor is None
    return found


@pytest.mark.parametrize("resource", RESOURCES)
def test_pages_hold_everything_once_in_the_order_of_creation(
    still: Product, clock: ManualClock, resource: str
) -> None:
    made = []
    for number in range(7):
        made.append(make(still, resource, f"n{number}"))
        clock.advance(seconds=(number % 3 == 2) * 0.001)
    documents = getattr(still, resource)
    found = pages(lambda after: documents.list(limit=3, after=after))
    assert found == [made[:3], made[3:6], made[6:]]
    assert documents.list() == made
    assert documents.list(limit=7).cursor is None


def test_documents_that_come_and_go_between_pages_shift_nothing(still: Product) -> None:
    made = [make(still, "ideas", str(number)) for number in range(4)]
    page = still.ideas.list(limit=2)
    for gone in made[:2]:
        still.ideas.delete(gone)
    added = make(still, "ideas", "new")
    assert still.ideas.list(limit=9, after=page.cursor) == [*made[2:], added]


def test_a_list_is_longer_than_what_is_loaded_at_once(leanbe: Leanbe, product: Product) -> None:
    with leanbe.transaction():
        for number in range(501):
            make(product, "announcements", str(number))
    found = product.announcements.list(limit=1000)
    assert [each.title for each in found] == [str(number) for number in range(501)]
    assert len(product.announcements.list()) == 200


@IN_MEMORY
@pytest.mark.parametrize("after", ["", "x", "1-", "²-x", "1-\0", f"{9**30}-{'a' * 24}"])
def test_an_invalid_cursor_is_refused(product: Product, after: str) -> None:
    with pytest.raises(InvalidValue, match="is no cursor"):
        product.ideas.list(after=after)


@IN_MEMORY
@pytest.mark.parametrize("resource", RESOURCES)
def test_a_list_of_nothing_is_refused(product: Product, resource: str) -> None:
    with pytest.raises(InvalidValue, match="holds nothing"):
        getattr(product, resource).list(limit=0)


def titles_of(page: Page[Any]) -> str:
    """Return the titles of a page in one text."""
    return "".join(each.title for each in page)


def test_ideas_are_told_apart(product: Product) -> None:
    product.users.create(email="ana@example.com", first_name="Ana")
    product.ideas.create(title="a", tags=["ui", 'x{"title": "no"}'], assigned="ana@example.com")
    product.ideas.create(title="b", tags=["UI"], owner="ana@example.com", visibility="private")
    product.ideas.update(product.ideas.promote(product.ideas.create(title="c")), archived=True)
    ideas = product.ideas
    assert titles_of(ideas.list()) == "abc"
    assert titles_of(ideas.list(promoted=True)) == titles_of(ideas.list(archived=True)) == "c"
    assert titles_of(ideas.list(promoted=False)) == titles_of(ideas.list(archived=False)) == "ab"
    assert titles_of(ideas.list(visibility="private")) == "b"
    assert (titles_of(ideas.list(tag="ui")), titles_of(ideas.list(tag="UI"))) == ("a", "b")
    assert titles_of(ideas.list(tag="no")) == titles_of(ideas.list(tag="u")) == ""
    assert titles_of(ideas.list(tag='x{"title": "no"}')) == "a"
    assert titles_of(ideas.list(owner="ana@example.com")) == "b"
    assert titles_of(ideas.list(assigned="ana@example.com")) == "a"
    assert titles_of(ideas.list(owner="owner@example.com", promoted=False)) == "a"
    with pytest.raises(NotFound):
        ideas.list(owner="nobody")
    for filters in ({"tag": "\ud800"}, {"visibility": "\0"}):
        with pytest.raises(InvalidValue, match="no database can hold"):
            ideas.list(**filters)  # type: ignore[arg-type]


def test_requests_are_told_apart(product: Product) -> None:
    ana = product.customers.create(email="ana@example.com")
    for title in "abc":
        product.idea_requests.create(title=title, customer=ana if title == "a" else None)
    idea = product.ideas.create(title="I", requests=[product.idea_requests.list()[1]])
    product.idea_requests.ignore(product.idea_requests.list()[2])
    requests = product.idea_requests
    for status, title in {"new": "a", "attached": "b", "ignored": "c"}.items():
        assert titles_of(requests.list(status=status)) == title
    assert titles_of(requests.list(customer=ana)) == "a"
    assert titles_of(requests.list(idea=idea)) == "b"
    with pytest.raises(InvalidValue, match="'open' is no status of a request"):
        requests.list(status="open")


def test_customers_backlog_items_okrs_and_announcements_are_told_apart(product: Product) -> None:
    product.users.create(email="ana@example.com", first_name="Ana")
    ana = product.customers.create(email="Ana@example.com", confirmed=True)
    bob = product.customers.create(email="bob@example.com")
    assert product.customers.list(email="ANA@example.com") == [ana]
    assert product.customers.list(confirmed=False) == [bob]
    product.backlog_items.create(title="a", status="Done", assigned="ana@example.com")
    idea = product.ideas.create(title="b")
    product.ideas.promote(idea)
    items = product.backlog_items
    assert titles_of(items.list(status="Done")) == titles_of(items.list(assigned="ana@example.com"))
    assert titles_of(items.list(idea=idea)) == titles_of(items.list(status="To Do")) == "b"
    with pytest.raises(InvalidValue, match=r"Did you mean Done\? It has To Do, "):
        items.list(status="done")
    product.okrs.create(title="a", owner="ana@example.com")
    product.okrs.create(title="b")
    assert titles_of(product.okrs.list(owner="ana@example.com")) == "a"
    product.announcements.publish(product.announcements.create(title="a"))
    product.announcements.create(title="b")
    assert titles_of(product.announcements.list(status="published")) == "a"
    assert titles_of(product.announcements.list(status="draft")) == "b"
    with pytest.raises(InvalidValue, match="Use draft or published"):
        product.announcements.list(status="live")


# Transactions.


def state(product: Product) -> Mapping[str, list[Any]]:
    """Return all documents of a product."""
    return {
        resource: [each.document() for each in getattr(product, resource).list()]
        for resource in RESOURCES
    }


def test_several_actions_are_all_or_nothing_with_their_events(
    leanbe: Leanbe, product: Product
) -> None:
    ana = product.customers.create(email="ana@example.com")
    idea = product.ideas.create(title="I")
    before, events = state(product), len(leanbe.deliveries.list())

    def act(*, goes_wrong: bool) -> None:
        with leanbe.transaction():
            product.ideas.upvote(idea, customer=ana)
            product.ideas.promote(idea)
            product.okrs.create(title="O", key_results=[{"title": "k", "targetValue": 1}])
            product.idea_requests.create(title="R", customer="new@example.com")
            product.customers.delete(ana)
            if goes_wrong:
                raise Oops

    with pytest.raises(Oops):
        act(goes_wrong=True)
    assert state(product) == before
    assert len(leanbe.deliveries.list()) == events
    act(goes_wrong=False)
    assert len(leanbe.deliveries.list()) == events + 7
    assert (product.ideas.get(idea).upvotes, product.ideas.get(idea).promoted) == (0, True)


def test_a_refused_action_leaves_no_trace_in_a_transaction(
    leanbe: Leanbe, product: Product
) -> None:
    ana = product.customers.create(email="ana@example.com")
    product.customers.create(email="bob@example.com")
    idea = product.ideas.update(product.ideas.create(title="I"), archived=True)
    request = product.idea_requests.ignore(product.idea_requests.create(title="R"))
    okr = product.okrs.create(title="O", start_date="2023-07-01")
    before = state(product)
    refused: list[Callable[[], object]] = [
        lambda: product.ideas.upvote(idea, customer=ana),
        lambda: product.ideas.promote(idea),
        lambda: product.idea_requests.attach(request, idea=idea),
        lambda: product.idea_requests.create(title=" ", customer="new@example.com"),
        lambda: product.customers.update(ana, first_name="A", email="BOB@example.com"),
        lambda: product.customers.update(ana, first_name="A", products=[]),
        lambda: product.okrs.update(okr, title="P", end_date="2023-06-01"),
        lambda: product.okrs.update(okr, title="P", key_results=[{"_id": "no"}]),
        lambda: product.ideas.create(title="J", requests=[request]),
    ]
    with leanbe.foreground(deliver=False) as seen:
        for call in refused:
            with pytest.raises((Conflict, InvalidValue, NotFound)):
                call()
            assert state(product) == before
        product.announcements.create(title="A")
    assert [each.name for each in seen.recorded] == ["announcement.created"]
    assert state(product) == {**before, "announcements": state(product)["announcements"]}


# In the foreground.


def test_first_attempts_are_made_right_after_the_commit(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    receiver.statuses.append(503)
    with leanbe.foreground() as seen:
        idea = product.ideas.create(title="I")
        product.ideas.promote(idea)
        assert (seen.recorded, seen.deliveries, receiver.requests) == ((), (), [])
    assert [each.name for each in seen.recorded] == [
        "idea.created",
        "idea.promoted",
        "backlogItem.created",
    ]
    assert [each.outcome for each in seen.deliveries] == ["refused", "delivered", "delivered"]
    assert [each.delivery_id for each in seen.recorded] == [each.id for each in seen.deliveries]
    assert len(receiver.requests) == 3
    assert leanbe.due().in_flight == 0


def test_attempts_can_be_left_to_a_worker(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    with leanbe.foreground(deliver=False) as seen:
        product.ideas.create(title="I")
    assert [each.status for each in seen.deliveries] == ["pending"]
    assert receiver.requests == []
    assert len(leanbe.deliver()) == 1


def test_an_error_in_the_foreground_leaves_no_event_and_sends_nothing(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    def act() -> None:
        with leanbe.foreground():
            product.ideas.create(title="I")
            raise Oops

    with pytest.raises(Oops):
        act()
    assert (product.ideas.list(), leanbe.deliveries.list(), receiver.requests) == ([], [], [])
    with leanbe.transaction(), pytest.raises(Conflict), leanbe.foreground():
        act()


# Products.


def test_statuses_are_the_products_own_and_ordered(leanbe: Leanbe, product: Product) -> None:
    assert product.statuses == ("To Do", "In Progress", "In Review", "Done")
    item = product.backlog_items.create(title="B")
    with pytest.raises(Conflict, match="have the status To Do"):
        leanbe.products.set_statuses(product, ["Open", "Shut"])
    product = leanbe.products.set_statuses("Acme", ("Open", "To Do"))
    assert product.statuses == ("Open", "To Do")
    assert product.document()["statuses"] == ["Open", "To Do"]
    assert product.backlog_items.create(title="C").status == "Open"
    assert product.backlog_items.set_status(item, "Open").status == "Open"
    for refused in ([], ["A", "A"], [""], "Open"):
        with pytest.raises(InvalidValue):
            leanbe.products.set_statuses(product, refused)


def test_a_deleted_product_takes_all_with_it_but_who_is_shared(
    leanbe: Leanbe, product: Product
) -> None:
    other = leanbe.products.create("Other")
    ana = other.customers.create(email="ana@example.com")
    other.ideas.upvote(other.ideas.create(title="I"), customer=ana)
    ben = leanbe.users.grant(
        product.users.create(email="ben@example.com", first_name="Ben"), product=other
    )
    shared = product.customers.create(email="ana@example.com")
    bob = product.customers.create(email="bob@example.com")
    request = product.idea_requests.create(title="R", customer=bob)
    idea = product.ideas.create(title="I", owner=ben, requests=[request])
    for voter in (shared, bob):
        product.ideas.upvote(idea, customer=voter)
    product.ideas.upvote(idea)
    product.ideas.promote(idea)
    for resource in RESOURCES:
        make(product, resource)
    leanbe.deliver()
    with leanbe.foreground(deliver=False) as seen:
        leanbe.products.delete(product)
    assert seen.recorded == ()
    assert leanbe.products.list() == [leanbe.products.get("Other")]
    (left,) = other.customers.list()
    assert (left.id, [each.name for each in left.products]) == (ana.id, ["Other"])
    assert [idea.upvotes for idea in other.ideas.list()] == [1]
    assert other.users.get(ben) == ben
    with leanbe._transactions.looking() as session:
        assert session.scalars(select(CustomerRow.id)).all() == [ana.id]
        assert session.scalars(select(VoteRow.customer_id)).all() == [ana.id]
    again = leanbe.products.create("Acme")
    assert state(again) == {resource: [] for resource in RESOURCES}
    assert again.customers.create(email="bob@example.com").id != bob.id


def test_a_product_that_is_gone_is_not_found(leanbe: Leanbe, product: Product) -> None:
    leanbe.products.delete(product)
    for resource in RESOURCES:
        with pytest.raises(NotFound):
            getattr(product, resource).list()
        with pytest.raises(NotFound):
            make(product, resource)


# Several at once.


def test_a_product_added_while_a_customer_is_changed_is_kept_and_told(
    postgresql_ready: str,
) -> None:
    with (
        Leanbe(postgresql_ready) as one,
        Leanbe(postgresql_ready) as two,
        ThreadPoolExecutor(1) as thread,
    ):
        first, second = (one.products.create(name) for name in ("Acme", "Other"))
        ana = first.customers.create(email="ana@example.com")
        with one.transaction():
            second.customers.create(email="ana@example.com")
            customers = two.products.get("Acme").customers
            change = thread.submit(
                lambda: events_of_calls(two, lambda: customers.update(ana, city="C"))
            )
            until_somebody_waits(postgresql_ready)
        assert change.result() == ["customer.updated"] * 2
        assert [each.name for each in first.customers.get(ana).products] == ["Acme", "Other"]


def test_many_who_add_products_to_a_customer_at_once_all_succeed(database_url: str) -> None:
    with Leanbe(database_url) as one, Leanbe(database_url) as two:
        names = ("a", "b", "c", "d")
        first, *others = (one.products.create(name) for name in names)
        first.customers.create(email="ana@example.com")

        def join(leanbe: Leanbe, product: Product) -> Customer:
            return leanbe.products.get(product).customers.create(email="ana@example.com")

        calls = [partial(join, leanbe, each) for leanbe in (one, two) for each in others]
        results = call_at_once(*calls)
        assert (
            sorted(type(each).__name__ for each in results) == ["Conflict"] * 3 + ["Customer"] * 3
        )
        (ana,) = first.customers.list()
        assert {each.name for each in ana.products} == {*names}


def test_one_request_is_attached_once_by_two_at_once(database_url: str) -> None:
    with Leanbe(database_url) as one, Leanbe(database_url) as two:
        product = one.products.create("Acme")
        request = product.idea_requests.create(title="R")

        def take(leanbe: Leanbe) -> Idea:
            return leanbe.products.only().ideas.create(title="I", requests=[request.id])

        results = call_at_once(lambda: take(one), lambda: take(two))
        assert {type(each) for each in results} == {Idea, Conflict}
        assert len(product.ideas.list()) == 1
        assert isinstance(product.idea_requests.get(request), IdeaRequest)


def test_documents_that_a_transaction_looked_up_stay_until_its_end(postgresql_ready: str) -> None:
    with Leanbe(postgresql_ready) as one, Leanbe(postgresql_ready) as other:
        ours = one.products.create("Acme")
        theirs = other.products.get("Acme")
        ana = ours.customers.create(email="ana@example.com", company={"name": "Acme"})
        with ThreadPoolExecutor(1) as thread:
            with one.transaction():
                company = ours.customers.get(ana).document()["company"]
                moving = thread.submit(theirs.customers.update, ana, company={"name": "Globex"})
                until_somebody_waits(postgresql_ready)
                ours.customers.update(ana, company={**company, "jobTitle": "CTO"})
            moving.result()
        assert ours.customers.get(ana).document()["company"] == {"name": "Globex"}
