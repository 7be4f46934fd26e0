"""Everything goes, and the handle can be used as before."""

from functools import partial

import pytest
from sqlalchemy import func, select

from leanbe_emitter import Conflict, Leanbe, ReceivedRequest
from leanbe_emitter.storage.schema.document_tables import METADATA
from tests.support.in_process_apps import app_noting_lifespan, raising_late
from tests.support.scene import Scene


def counts(leanbe: Leanbe) -> dict[str, int]:
    """Return how many rows each table has, less those that are empty."""
    with leanbe._database.reading() as session:
        found = {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in METADATA.sorted_tables
        }
    return {name: count for name, count in found.items() if count}


def test_no_row_is_left(scene: Scene) -> None:
    scene.product.ideas.upvote(scene.idea, customer=scene.ana)
    scene.product.okrs.create(title="More", key_results=[{"title": "Votes", "targetValue": 2}])
    scene.leanbe.webhooks.rotate(scene.product)
    before = counts(scene.leanbe)
    scene.leanbe.reset()
    assert len(before) > 12
    assert counts(scene.leanbe) == {}


def test_everything_works_afterwards_and_who_follows_misses_nothing(scene: Scene) -> None:
    cursor = scene.leanbe.journal.follow_cursor()
    scene.leanbe.reset()
    requests = list[ReceivedRequest]()
    scene.leanbe.products.create("Acme", webhook=requests.append)
    assert scene.leanbe.trigger("idea.created").delivered
    kinds = [each.kind.value for each in scene.leanbe.journal.read_all(cursor)]
    assert kinds == ["event", "attempt"]


def test_receivers_are_stopped_and_their_addresses_free_again() -> None:
    steps = list[str]()
    app = app_noting_lifespan(steps)
    with Leanbe() as leanbe:
        for receiver in (app, partial(app)):
            product = leanbe.products.create("Acme", webhook=receiver)
            assert product.webhook.url == "http://testserver/"
            assert leanbe.trigger("idea.created").delivered
            leanbe.reset()
    assert steps == ["lifespan.startup", "lifespan.shutdown"] * 2


def test_receivers_can_be_stopped_alone(scene: Scene) -> None:
    requests = list[ReceivedRequest]()
    scene.leanbe.trigger("idea.created", to=requests.append)
    before = counts(scene.leanbe)
    scene.leanbe.stop_receivers()
    assert counts(scene.leanbe) == before
    product = scene.leanbe.products.create("Next", webhook=lambda _: None)
    assert product.webhook.url == "http://testserver/"


def test_a_reset_raises_a_receivers_last_error() -> None:
    app = raising_late(ValueError("too late"))
    with Leanbe() as leanbe:
        leanbe.products.create("Acme", webhook=app)
        leanbe.trigger("idea.created")
        with pytest.raises(ValueError, match="too late"):
            leanbe.reset()
        assert counts(leanbe) == {}


def test_it_is_refused_inside_a_transaction() -> None:
    with Leanbe() as leanbe, leanbe.transaction():
        leanbe.products.create("Acme")
        with pytest.raises(Conflict, match="inside a transaction"):
            leanbe.reset()
        assert len(leanbe.products.list()) == 1


def test_a_products_reset_leaves_no_customer_who_belongs_nowhere(database_url: str) -> None:
    with Leanbe(database_url) as leanbe:
        for name in ("Acme", "Globex"):
            leanbe.products.create(name).customers.create(email="ana@example.com")
        leanbe.products.get("Acme").customers.create(email="bea@example.com")
        leanbe.products.reset("Acme")
        assert counts(leanbe)["customers"] == 1
        (ana,) = leanbe.products.get("Globex").customers.list()
        assert ana.document()["products"] == [
            {"_id": leanbe.products.get("Globex").id, "name": "Globex"}
        ]
