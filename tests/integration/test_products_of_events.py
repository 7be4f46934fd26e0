"""Contract c.4 and c.1: which product hears of an action, signed with what, and whether at all."""

from leanbe_emitter import Event, Product, verify
from tests.support.scene import OTHER_SECRET, SECRET, URL, Scene, record_events


def event_names(events: list[Event]) -> list[str]:
    return [event.name for event in events]


def test_each_product_of_a_customer_gets_an_event_of_its_own(scene: Scene) -> None:
    sequences = {each.id: _last_sequence(scene, each) for each in (scene.product, scene.other)}
    with record_events(scene.leanbe) as events:
        bea = scene.other.customers.create(
            email="bea@example.com", products=[scene.other, scene.product]
        )
    ours, theirs = events.of(scene.product)[0], events.of(scene.other)[0]
    assert event_names(list(events.events)) == ["customer.created", "customer.created"]
    assert ours.payload_text == theirs.payload_text
    assert ours.payload == bea.document()
    assert ours.sequence == sequences[scene.product.id] + 1
    assert theirs.sequence == sequences[scene.other.id] + 1
    assert verify(ours.body, SECRET).signature != verify(theirs.body, OTHER_SECRET).signature
    assert ours.triggered_at > scene.clock.now() < theirs.triggered_at


def test_each_product_has_a_clock_of_its_own(scene: Scene) -> None:
    for title in ("one", "two", "three"):
        scene.product.ideas.create(title=title)
    with record_events(scene.leanbe) as events:
        scene.product.customers.update(scene.ana, products=[scene.product, scene.other])
    (ours,), (theirs,) = events.of(scene.product), events.of(scene.other)
    assert ours.triggered_at > theirs.triggered_at


def test_a_product_that_a_customer_leaves_gets_that_last_update(scene: Scene) -> None:
    scene.product.customers.update(scene.ana, products=[scene.product, scene.other])
    with record_events(scene.leanbe) as events:
        scene.product.customers.update(scene.ana, products=[scene.other])
    assert (
        event_names(events.of(scene.product))
        == event_names(events.of(scene.other))
        == ["customer.updated"]
    )
    assert all(each.payload["products"] == [scene.other_ref] for each in events.events)
    with record_events(scene.leanbe) as events:
        scene.other.customers.update(scene.ana, city="Porto")
        scene.other.customers.delete(scene.ana)
    assert events.of(scene.product) == []
    assert event_names(events.of(scene.other)) == ["customer.updated", "customer.deleted"]


def test_a_customer_is_deleted_in_every_product(scene: Scene) -> None:
    scene.product.customers.update(scene.ana, products=[scene.product, scene.other])
    with record_events(scene.leanbe) as events:
        scene.other.customers.delete(scene.ana)
    assert (
        event_names(events.of(scene.product))
        == event_names(events.of(scene.other))
        == ["customer.deleted"]
    )
    assert scene.product.customers.list() == scene.other.customers.list() == []


def test_the_order_of_a_customers_products_is_part_of_the_document(scene: Scene) -> None:
    scene.product.customers.update(scene.ana, products=[scene.product, scene.other])
    with record_events(scene.leanbe) as events:
        scene.product.customers.update(scene.ana, products=[scene.other, scene.product])
    assert events.names == "customer.updated customer.updated"
    assert events.events[0].payload["products"] == [scene.other_ref, scene.product_ref]


def test_other_documents_are_their_own_products_alone(scene: Scene) -> None:
    scene.product.customers.update(scene.ana, products=[scene.product, scene.other])
    with record_events(scene.leanbe) as events:
        scene.product.ideas.upvote(scene.idea, customer=scene.ana)
        scene.product.idea_requests.attach(scene.request, idea=scene.idea)
    assert events.of(scene.other) == []


def test_an_event_without_a_url_is_recorded_and_never_gets_a_delivery(scene: Scene) -> None:
    silent = scene.leanbe.products.create("Silent")
    with record_events(scene.leanbe) as events:
        silent.ideas.create(title="Unheard")
    scene.leanbe.webhooks.set(silent, URL)
    assert events.names == "idea.created"
    assert _owed(scene, silent) == []
    silent.ideas.create(title="Heard")
    assert [each.payload["title"] for each in _owed(scene, silent)] == ["Heard"]


def test_queued_events_keep_their_signature_and_place_after_a_rotation(scene: Scene) -> None:
    scene.product.ideas.update(scene.idea, title="Signed before")
    scene.leanbe.webhooks.rotate(scene.product, secret="acme-secret-2")
    scene.product.ideas.update(scene.idea, title="Signed after")
    before, after = _owed(scene, scene.product)[-2:]
    assert verify(before.body, SECRET).payload["title"] == "Signed before"
    assert verify(after.body, "acme-secret-2").payload["title"] == "Signed after"


def test_another_url_keeps_the_secret_and_what_is_queued(scene: Scene) -> None:
    queued = len(_owed(scene, scene.product))
    scene.leanbe.webhooks.set(scene.product, f"{URL}/2")
    scene.product.ideas.update(scene.idea, title="Night mode")
    assert len(_owed(scene, scene.product)) == queued + 1
    assert verify(_owed(scene, scene.product)[-1].body, SECRET).event == "idea.updated"


def test_a_cleared_url_cancels_what_is_queued_and_is_silent_from_then_on(scene: Scene) -> None:
    scene.leanbe.webhooks.clear(scene.product)
    with record_events(scene.leanbe) as events:
        scene.product.ideas.promote(scene.idea)
    assert events.names == "idea.promoted backlogItem.created"
    assert {
        each.status
        for each in scene.leanbe.deliveries.list()
        if each.event.product_id == scene.product.id
    } == {"cancelled"}


def test_a_deleted_products_queue_is_dropped(scene: Scene) -> None:
    assert _owed(scene, scene.product)
    scene.leanbe.products.delete(scene.product)
    assert scene.leanbe.deliveries.list() == []


def _owed(scene: Scene, product: Product) -> list[Event]:
    """Return the product's events that have a delivery, the oldest first."""
    with_delivery = (each.event for each in scene.leanbe.deliveries.list())
    return sorted(
        (each for each in with_delivery if each.product_id == product.id),
        key=lambda each: each.sequence,
    )


def _last_sequence(scene: Scene, product: Product) -> int:
    return max((each.sequence for each in _owed(scene, product)), default=0)
