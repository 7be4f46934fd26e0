"""Contract c.3, "silent changes": what an action does to other documents without telling.

Their ``updatedAt`` stays, the idea of an attach excepted; references in them are live.
"""

from tests.support.expected_documents import altered
from tests.support.scene import NOW, THEN, RecordedEvents, Scene, record_events


def last_payload(events: RecordedEvents) -> dict[str, object]:
    """Return the newest payload."""
    return dict(events.events[-1].payload)


def test_an_attach_moves_the_idea_on_and_appends_the_request_last(scene: Scene) -> None:
    with scene.earlier():
        first = scene.product.idea_requests.create(title="Zero")
        scene.product.idea_requests.attach(first, idea=scene.idea)
    scene.product.idea_requests.attach(scene.request, idea=scene.idea)
    assert scene.product.ideas.get(scene.idea).document() == scene.the_idea(
        ideaRequests=[{"id": first.id, "title": "Zero"}, scene.request_ref], updatedAt=NOW
    )


def test_a_deleted_customer_takes_the_votes_along_and_leaves_the_requests(scene: Scene) -> None:
    with scene.earlier():
        bea = scene.product.customers.create(email="bea@example.com")
        scene.product.ideas.upvote(scene.idea, customer=bea)
        scene.product.ideas.upvote(scene.idea, customer=scene.ana)
        scene.product.ideas.upvote(scene.idea)
        before = scene.product.ideas.get(scene.idea)
    with record_events(scene.leanbe) as events:
        scene.product.customers.delete(scene.ana)
    assert events.names == "customer.deleted"
    assert scene.product.ideas.get(scene.idea).document() == altered(before.document(), upvotes=2)
    assert scene.product.idea_requests.get(scene.request).document() == scene.idea_request(
        customer=None, updatedAt=THEN
    )


def test_a_deleted_customer_who_voted_against_an_idea_does_not_count_any_more(scene: Scene) -> None:
    scene.leanbe.assumptions.set("vote_model", "net", product=scene.product)
    scene.product.ideas.downvote(scene.idea, customer=scene.ana)
    assert scene.upvotes() == -1
    scene.product.customers.delete(scene.ana)
    assert scene.upvotes() == 0


def test_requests_of_a_deleted_idea_are_new_again(scene: Scene) -> None:
    with scene.earlier():
        attached = scene.product.idea_requests.attach(scene.request, idea=scene.idea).document()
    with record_events(scene.leanbe) as events:
        scene.product.ideas.delete(scene.idea)
    assert events.names == "idea.deleted"
    request = scene.product.idea_requests.get(scene.request)
    assert request.document() == scene.idea_request(updatedAt=attached["updatedAt"])
    with record_events(scene.leanbe) as events:
        scene.product.idea_requests.ignore(request)
    assert events.names == "ideaRequest.ignored"


def test_a_backlog_item_keeps_the_last_title_of_its_idea(scene: Scene) -> None:
    with scene.earlier():
        scene.product.ideas.promote(scene.idea)
    (item,) = (each for each in scene.product.backlog_items.list() if each.title == "Dark mode")
    scene.product.ideas.update(scene.idea, title="Night mode")
    reference = {"_id": scene.idea.id, "title": "Night mode"}
    assert scene.product.backlog_items.get(item).document() == altered(
        item.document(), idea=reference
    )
    scene.product.ideas.delete(scene.idea)
    assert scene.product.backlog_items.get(item).document() == altered(
        item.document(), idea=reference
    )
    with record_events(scene.leanbe) as events:
        scene.product.backlog_items.set_status(item, "Done")
    assert last_payload(events)["idea"] == reference


def test_the_idea_of_a_deleted_backlog_item_stays_promoted(scene: Scene) -> None:
    scene.product.ideas.promote(scene.idea)
    idea = scene.product.ideas.get(scene.idea)
    (item,) = (each for each in scene.product.backlog_items.list() if each.title == "Dark mode")
    scene.product.backlog_items.delete(item)
    assert scene.product.ideas.get(scene.idea) == idea
    assert idea.promoted


def test_a_later_state_has_a_later_time_though_the_clock_stands_still(scene: Scene) -> None:
    with scene.earlier():
        states = [
            scene.idea,
            scene.product.ideas.update(scene.idea, title="Night mode"),
            scene.product.ideas.upvote(scene.idea),
        ]
    times = [each.updated_at for each in states]
    assert times == sorted(set(times))


def test_references_show_who_they_name_as_it_is_now(scene: Scene) -> None:
    with scene.earlier():
        attached = scene.product.idea_requests.attach(scene.request, idea=scene.idea).document()
    scene.product.ideas.update(scene.idea, title="Night mode")
    scene.product.customers.update(scene.ana, last_name=None, email="ana@example.org")
    request = scene.product.idea_requests.get(scene.request).document()
    assert request["idea"] == {"_id": scene.idea.id, "title": "Night mode"}
    assert request["customer"] == {
        "_id": scene.ana.id,
        "firstName": "Ana",
        "email": "ana@example.org",
    }
    assert request["updatedAt"] == attached["updatedAt"]


def test_a_renamed_product_shows_its_new_name_in_later_payloads_only(scene: Scene) -> None:
    scene.product.customers.update(scene.ana, products=[scene.product, scene.other])
    with record_events(scene.leanbe) as before:
        scene.product.okrs.update(scene.okr, title="Less pain")
    scene.leanbe.products.rename(scene.product, "Bcme")
    named = {"_id": scene.product.id, "name": "Bcme"}
    with record_events(scene.leanbe) as events:
        scene.product.ideas.update(scene.idea, title="Night mode")
        scene.product.announcements.publish(scene.news)
        scene.product.customers.confirm(scene.ana)
    assert before.events[0].payload["product"]["name"] == "Acme"
    idea, news, ana, ana_again = (each.payload for each in events.events)
    assert idea["product"] == news["product"] == named
    assert ana["products"] == ana_again["products"] == [named, scene.other_ref]
    assert scene.product.backlog_items.get(scene.item).document() == scene.backlog_item(
        product=named, updatedAt=THEN
    )


def test_with_a_product_goes_all_of_it_and_nothing_of_others(scene: Scene) -> None:
    both = scene.product.customers.create(
        email="bea@example.com", products=[scene.product, scene.other]
    )
    idea = scene.other.ideas.create(title="Elsewhere")
    for voter in (scene.other.customers.create(email="eve@example.com"), both):
        scene.other.ideas.upvote(idea, customer=voter)
    with record_events(scene.leanbe) as events:
        scene.leanbe.products.delete(scene.product)
    assert events.names == ""
    assert [each.email for each in scene.other.customers.list()] == [
        "bea@example.com",
        "eve@example.com",
    ]
    assert scene.other.customers.get(both).document() == altered(
        both.document(), products=[scene.other_ref]
    )
    assert scene.other.ideas.get(idea).upvotes == 2
    assert {each.event.product_id for each in scene.leanbe.deliveries.list()} == {scene.other.id}


def test_a_customer_of_a_deleted_product_alone_is_gone_with_the_votes(scene: Scene) -> None:
    bea = scene.other.customers.create(email="bea@example.com")
    idea = scene.product.ideas.create(title="Shared")
    scene.other.customers.update(bea, products=[scene.other, scene.product])
    scene.product.ideas.upvote(idea, customer=bea)
    scene.other.customers.update(bea, products=[scene.other])
    assert scene.product.ideas.get(idea).upvotes == 1
    scene.leanbe.products.delete(scene.other)
    assert scene.product.ideas.get(idea).upvotes == 0


def test_an_anonymous_vote_is_nobodys_to_withdraw(scene: Scene) -> None:
    scene.product.ideas.upvote(scene.idea)
    scene.product.ideas.upvote(scene.idea, customer=scene.ana)
    scene.product.ideas.withdraw_vote(scene.idea, customer=scene.ana)
    assert scene.upvotes() == 1


def test_withdrawing_a_vote_moves_the_idea_on_silently(scene: Scene) -> None:
    with scene.earlier():
        scene.product.ideas.upvote(scene.idea, customer=scene.ana)
    with record_events(scene.leanbe) as events:
        scene.product.ideas.withdraw_vote(scene.idea, customer=scene.ana)
    assert events.names == ""
    assert scene.product.ideas.get(scene.idea).document() == scene.the_idea(upvotes=0)
