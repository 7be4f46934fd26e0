"""Transactions of the library: all or nothing, with their events, and bound to their thread."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from leanbe_emitter import (
    Conflict,
    DatabaseUnavailable,
    InvalidValue,
    Leanbe,
    Product,
    TriggerRequest,
)
from leanbe_emitter.storage.engine.database import Database
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.recorded_statements import record_statements

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "http://127.0.0.1:1/"


class Oops(Exception):
    """The error that goes wrong in the tests on purpose."""


def record(leanbe: Leanbe, *events: str) -> None:
    """Record events without delivering them."""
    leanbe.trigger_all(TriggerRequest(events=events), deliver=False)


def test_the_changes_of_a_transaction_are_there_when_it_ends(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    with leanbe.transaction():
        record(leanbe, "idea.created")
        leanbe.products.rename(product, "Bcme")
        record(leanbe, "idea.updated")
    assert leanbe.products.only().name == "Bcme"
    assert len(leanbe.deliver()) == 2
    first, second = (request.verified("whsec_test").payload for request in receiver.requests)
    assert (first["product"]["name"], second["product"]["name"]) == ("Acme", "Bcme")


def test_an_error_undoes_all_of_it_events_included(leanbe: Leanbe, product: Product) -> None:
    end = leanbe.journal.follow_cursor()

    def go_wrong() -> None:
        with leanbe.transaction():
            leanbe.products.create("Other")
            leanbe.webhooks.rotate(product)
            leanbe.assumptions.set("method", "PUT", product=product)
            product.users.create(email="ana@example.com", first_name="Ana")
            leanbe.trigger_all(
                TriggerRequest(events=["idea.created"], product=product), deliver=False
            )
            raise Oops

    with pytest.raises(Oops):
        go_wrong()
    assert leanbe.products.list() == [product]
    assert len(product.users.list()) == 1
    assert leanbe.deliveries.list() == []
    assert leanbe.deliver() == []
    assert leanbe.journal.next(end)[0] == []
    assert leanbe.trigger("idea.created").event.sequence == 1


def test_a_refused_call_that_is_caught_leaves_the_rest_of_the_transaction(leanbe: Leanbe) -> None:
    with leanbe.transaction():
        leanbe.products.create("Acme")
        for name in ("Acme", ""):
            with pytest.raises((Conflict, InvalidValue)):
                leanbe.products.create(name)
        leanbe.products.create("Other")
    assert [product.name for product in leanbe.products.list()] == ["Acme", "Other"]


def test_a_transaction_sees_what_it_did(leanbe: Leanbe) -> None:
    with leanbe.transaction():
        product = leanbe.products.create("Acme", webhook_url=URL)
        assert leanbe.products.only() == product
        record(leanbe, "idea.created")
        delivery = leanbe.deliveries.last()
        assert delivery.event.sequence == 1
        again = TriggerRequest(events=["idea.updated"], same_as=delivery)
        assert len(leanbe.dry_run(again)) == 1
        leanbe.trigger_all(again, deliver=False)
        assert [each.status for each in leanbe.deliveries.discard([delivery])] == ["cancelled"]
        leanbe.products.delete(product)
    assert leanbe.products.list() == []


def test_transactions_do_not_nest(leanbe: Leanbe) -> None:
    with leanbe.transaction():
        leanbe.products.create("Acme")
        with pytest.raises(Conflict, match="do not nest"), leanbe.transaction():
            raise Oops
    assert leanbe.products.only().name == "Acme"
    with leanbe.transaction():
        leanbe.products.create("Other")


def test_there_is_no_http_and_no_waiting_inside_a_transaction(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    delivery = leanbe.trigger("idea.created")
    calls: list[Callable[[], object]] = [
        lambda: leanbe.trigger("idea.created", product=product),
        lambda: leanbe.trigger_all(TriggerRequest(events=["idea.created"])),
        leanbe.deliver,
        lambda: leanbe.follow([delivery]),
        lambda: leanbe.deliveries.redeliver(delivery),
        delivery.redeliver,
        lambda: leanbe.work(drain=True),
        leanbe.due,
        lambda: leanbe.wait_until_idle(timeout_seconds=9),
        leanbe.journal.follow,
    ]
    for call in calls:
        with leanbe.transaction(), pytest.raises(Conflict, match="inside a transaction"):
            call()
    assert len(receiver.requests) == len(leanbe.deliveries.list()) == 1


def test_another_thread_is_not_inside_the_transaction(leanbe: Leanbe) -> None:
    with ThreadPoolExecutor(1) as thread:
        with leanbe.transaction():
            leanbe.products.create("Acme")
            is_open = thread.submit(lambda: leanbe._transactions.is_open).result()
        assert not is_open
        assert len(thread.submit(leanbe.products.list).result()) == 1


def test_nothing_of_an_open_transaction_is_seen_elsewhere(database_url: str) -> None:
    with Leanbe(database_url) as leanbe, Leanbe(database_url) as other:
        leanbe.products.create("Acme", webhook_url=URL)
        with leanbe.transaction():
            record(leanbe, "idea.created")
            assert other.deliveries.list() == []
            assert other.due().count == 0
        assert other.due().count == 1


def test_a_call_locks_again_what_a_refused_one_had_locked(postgresql_ready: str) -> None:
    with Leanbe(postgresql_ready) as leanbe, Leanbe(postgresql_ready) as other:
        ideas = leanbe.products.create("Acme").ideas
        with leanbe.transaction():
            with pytest.raises(InvalidValue, match="title"):
                ideas.create(title="")
            ideas.create(title="One")
            with pytest.raises(DatabaseUnavailable, match="could not obtain lock"):
                lock_at_once(other._database)


def test_the_calls_of_a_transaction_lock_a_product_once(postgresql_ready: str) -> None:
    with Leanbe(postgresql_ready) as leanbe:
        ideas = leanbe.products.create("Acme").ideas
        with leanbe.transaction(), record_statements(leanbe._database) as sent:
            ideas.create(title="One")
            ideas.create(title="Two")
    assert sum("FOR NO KEY UPDATE" in each for each in sent.sent) == 1


def lock_at_once(database: Database) -> None:
    """Lock the only product, as an action does, or fail where somebody has."""
    with database.transaction() as session:
        session.execute(text("SELECT 1 FROM products FOR NO KEY UPDATE NOWAIT"))
