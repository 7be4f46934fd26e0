"""Actions at the same moment: no check is overtaken, no counter drifts, no event is lost."""

from functools import partial
from itertools import pairwise

import pytest

from leanbe_emitter import Conflict, Customer, Event, Leanbe, Product
from tests.support.concurrency import call_at_once
from tests.support.scene import URL, record_events

VOTERS = 12


@pytest.fixture
def acme(leanbe: Leanbe) -> Product:
    """A product whose events are pending and never sent."""
    return leanbe.products.create("Acme", webhook_url=URL, secret="acme-secret")


@pytest.fixture
def other(leanbe: Leanbe) -> Product:
    """Another product."""
    return leanbe.products.create("Other", webhook_url=URL, secret="other-secret")


def customers_of(product: Product, count: int) -> list[Customer]:
    return [product.customers.create(email=f"c{number}@example.com") for number in range(count)]


def conflicts(answers: list[object]) -> int:
    """Count the conflicts; anything else that was raised is a failure of the test."""
    return sum(isinstance(each, Conflict) for each in answers if _is_no_surprise(each))


def _is_no_surprise(answer: object) -> bool:
    assert not isinstance(answer, BaseException) or isinstance(answer, Conflict), answer
    return True


def assert_in_order(events: list[Event], product: Product) -> None:
    """See to it that a product's events have no gap, and no instant twice."""
    ours = sorted(
        (each for each in events if each.product_id == product.id), key=lambda each: each.sequence
    )
    first = ours[0].sequence
    assert [each.sequence for each in ours] == list(range(first, first + len(ours)))
    times = [each.triggered_at for each in ours]
    assert all(earlier < later for earlier, later in pairwise(times))


def test_votes_of_many_customers_on_one_idea_are_all_counted(leanbe: Leanbe, acme: Product) -> None:
    idea = acme.ideas.create(title="Dark mode")
    voters = customers_of(acme, VOTERS)
    with record_events(leanbe) as events:
        answers = call_at_once(
            *(partial(acme.ideas.upvote, idea, customer=each) for each in voters)
        )
    assert conflicts(answers) == 0
    assert acme.ideas.get(idea).upvotes == VOTERS
    assert events.names.split() == ["idea.upVoted"] * VOTERS
    assert sorted(each.payload["upvotes"] for each in events.events) == list(range(1, VOTERS + 1))
    assert {each.payload["customer"]["_id"] for each in events.events} == {v.id for v in voters}
    assert_in_order(list(events.events), acme)


def test_votes_against_withdrawn_and_without_a_customer_at_once_add_up(
    leanbe: Leanbe, acme: Product
) -> None:
    idea = acme.ideas.create(title="Dark mode")
    voters = customers_of(acme, 6)
    for each in voters:
        acme.ideas.upvote(idea, customer=each)
    with record_events(leanbe) as events:
        answers = call_at_once(
            *(partial(acme.ideas.downvote, idea, customer=each) for each in voters[:3]),
            *(partial(acme.ideas.withdraw_vote, idea, customer=each) for each in voters[3:]),
            *[partial(acme.ideas.upvote, idea)] * 4,
        )
    assert conflicts(answers) == 0
    assert acme.ideas.get(idea).upvotes == 4
    assert sorted(events.names.split()) == ["idea.downVoted"] * 3 + ["idea.upVoted"] * 4
    assert_in_order(list(events.events), acme)


def test_one_customer_who_votes_twice_at_once_has_one_vote(leanbe: Leanbe, acme: Product) -> None:
    idea = acme.ideas.create(title="Dark mode")
    (voter,) = customers_of(acme, 1)
    with record_events(leanbe) as events:
        answers = call_at_once(*[partial(acme.ideas.upvote, idea, customer=voter)] * 4)
    assert conflicts(answers) == 3
    assert acme.ideas.get(idea).upvotes == 1
    assert events.names == "idea.upVoted"


def test_of_two_customers_with_one_e_mail_one_is_refused(leanbe: Leanbe, acme: Product) -> None:
    with record_events(leanbe) as events:
        answers = call_at_once(
            partial(acme.customers.create, email="ana@example.com"),
            partial(acme.customers.create, email="ANA@example.com"),
            partial(acme.customers.create, email="Ana@Example.com"),
        )
    assert conflicts(answers) == 2
    assert events.names == "customer.created"
    assert len(acme.customers.list()) == 1


def test_two_requests_of_somebody_new_at_once_make_one_customer(
    leanbe: Leanbe, acme: Product
) -> None:
    with record_events(leanbe) as events:
        answers = call_at_once(
            *(
                partial(acme.idea_requests.create, title="Light", customer=email)
                for email in ("ana@example.com", "ANA@example.com", "ana@Example.com")
            )
        )
    assert conflicts(answers) == 0
    assert events.names.split() == ["customer.created"] + ["ideaRequest.created"] * 3
    assert len({each.customer.id for each in acme.idea_requests.list() if each.customer}) == 1


def test_requests_of_each_others_customers_at_once_do_not_stop_each_other(
    leanbe: Leanbe, acme: Product, other: Product
) -> None:
    ours = customers_of(acme, 8)
    theirs = [other.customers.create(email=f"o{number}@example.com") for number in range(8)]
    with record_events(leanbe) as events:
        answers = call_at_once(
            *(partial(acme.idea_requests.create, title="T", customer=x.email) for x in theirs),
            *(partial(other.idea_requests.create, title="T", customer=x.email) for x in ours),
        )
    assert conflicts(answers) == 0
    assert len(events.events) == 16 * 3
    for product in (acme, other):
        assert len(product.customers.list()) == 16
        assert_in_order(list(events.events), product)


def test_a_customer_joins_each_of_two_products_at_once(
    leanbe: Leanbe, acme: Product, other: Product
) -> None:
    third = leanbe.products.create("Third")
    ana = acme.customers.create(email="ana@example.com")
    answers = call_at_once(
        partial(other.customers.create, email="ana@example.com"),
        partial(third.customers.create, email="ana@example.com"),
    )
    assert conflicts(answers) == 0
    assert {each.id for each in acme.customers.get(ana).products} == {acme.id, other.id, third.id}


def test_a_request_attached_twice_at_once_is_attached_once(leanbe: Leanbe, acme: Product) -> None:
    first, second = (acme.ideas.create(title=title) for title in ("One", "Two"))
    request = acme.idea_requests.create(title="Light")
    with record_events(leanbe) as events:
        answers = call_at_once(
            partial(acme.idea_requests.attach, request, idea=first),
            partial(acme.idea_requests.attach, request, idea=second),
            partial(acme.idea_requests.ignore, request),
        )
    assert conflicts(answers) == 2
    assert len(events.events) == 1


def test_requests_attached_to_one_idea_at_once_have_places_of_their_own(
    leanbe: Leanbe, acme: Product
) -> None:
    idea = acme.ideas.create(title="One")
    requests = [acme.idea_requests.create(title=f"R{number}") for number in range(6)]
    with record_events(leanbe) as events:
        answers = call_at_once(
            *(partial(acme.idea_requests.attach, each, idea=idea) for each in requests)
        )
    assert conflicts(answers) == 0
    attached = [each["id"] for each in acme.ideas.get(idea).document()["ideaRequests"]]
    assert attached == [each.payload["_id"] for each in events.events]


def test_an_idea_promoted_twice_at_once_is_promoted_once(leanbe: Leanbe, acme: Product) -> None:
    idea = acme.ideas.create(title="One")
    with record_events(leanbe) as events:
        answers = call_at_once(*[partial(acme.ideas.promote, idea)] * 3)
    assert conflicts(answers) == 2
    assert events.names == "idea.promoted backlogItem.created"
    assert len(acme.backlog_items.list()) == 1


def test_fields_set_at_once_are_all_set(leanbe: Leanbe, acme: Product) -> None:
    item = acme.backlog_items.create(title="One")
    with record_events(leanbe) as events:
        answers = call_at_once(
            partial(acme.backlog_items.update, item, title="Two"),
            partial(acme.backlog_items.update, item, tags=["ui"]),
            partial(acme.backlog_items.set_status, item, "Done"),
        )
    assert conflicts(answers) == 0
    last = acme.backlog_items.get(item)
    assert (last.title, last.status, last.document()["tags"]) == ("Two", "Done", [{"title": "ui"}])
    newest = dict(events.events[-1].payload)
    newest.pop("previousStatus", None)
    assert newest == last.document()


def test_a_customer_deleted_while_voting_leaves_a_right_counter(acme: Product) -> None:
    idea = acme.ideas.create(title="One")
    voters = customers_of(acme, 6)
    call_at_once(
        *(partial(acme.ideas.upvote, idea, customer=each) for each in voters),
        *(partial(acme.customers.delete, each) for each in voters),
    )
    assert acme.customers.list() == []
    assert acme.ideas.get(idea).upvotes == 0
