"""Products: made, named, renamed and deleted, on every database."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from sqlalchemy import func, select

from leanbe_emitter import Conflict, InvalidValue, Leanbe, NotFound, Product, TriggerRequest
from leanbe_emitter.storage.queries.journal import START
from leanbe_emitter.storage.schema.tables import Base
from tests.support.concurrency import call_at_once, until_somebody_waits
from tests.support.loopback_receiver import LoopbackReceiver

pytestmark = pytest.mark.any_database

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "http://127.0.0.1:9/hooks"


def rows(leanbe: Leanbe) -> dict[str, int]:
    """Return how many rows each table has that has any; the journal keeps its own for a while."""
    with leanbe._transactions.looking() as session:
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
            if table.name != "journal"
        }
    return {name: count for name, count in counts.items() if count}


def test_a_product_begins_without_a_url_a_secret_or_assumptions(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme")
    assert (product.webhook.url, product.webhook.secret) == (None, None)
    assert product.assumptions == {}
    assert leanbe.products.get("Acme") == product


def test_a_product_has_an_owner_from_its_first_moment(leanbe: Leanbe) -> None:
    (owner,) = leanbe.products.create("Acme").users.list()
    assert owner.document() == {
        "_id": owner.id,
        "firstName": "Product Owner",
        "email": "owner@example.com",
    }


def test_the_owner_can_be_given(leanbe: Leanbe) -> None:
    given = {"email": "ana@example.com", "first_name": "Ana"}
    (owner,) = leanbe.products.create("Acme", owner=given).users.list()
    assert (owner.email, owner.first_name) == ("ana@example.com", "Ana")


def test_an_unknown_field_of_an_owner_is_refused_with_the_nearest(leanbe: Leanbe) -> None:
    with pytest.raises(InvalidValue, match=r"no 'firstName'.*first_name"):
        leanbe.products.create("Acme", owner={"firstName": "Ana"})
    assert leanbe.products.list() == []


def test_a_url_at_creation_brings_a_generated_secret(leanbe: Leanbe) -> None:
    webhook = leanbe.products.create("Acme", webhook_url=URL).webhook
    assert webhook.url == URL
    assert webhook.secret is not None
    assert len(bytes.fromhex(webhook.secret)) == 32
    assert webhook.secret == webhook.secret.lower()


@pytest.mark.parametrize(
    "setting",
    [
        {"secret": "whsec_test"},
        {"headers": [("X-Environment", "test")]},
        {"ca_file": __file__},
        {"insecure": True},
    ],
)
def test_a_setting_of_a_webhook_without_a_url_is_refused(
    leanbe: Leanbe, setting: dict[str, Any]
) -> None:
    with pytest.raises(InvalidValue, match="without a webhook URL"):
        leanbe.products.create("Acme", **setting)
    assert leanbe.products.list() == []


def test_the_trust_of_a_new_products_webhook_is_set_with_its_url(
    leanbe: Leanbe, tmp_path: Path
) -> None:
    authorities = str(tmp_path / "authorities.pem")
    trustme.CA().cert_pem.write_to_path(authorities)
    own = leanbe.products.create("Acme", webhook_url=URL, ca_file=authorities).webhook
    anybody = leanbe.products.create("Globex", webhook_url=URL, insecure=True).webhook
    assert (own.ca_file, own.insecure) == (authorities, False)
    assert (anybody.ca_file, anybody.insecure) == (None, True)
    with pytest.raises(InvalidValue, match="contradict"):
        leanbe.products.create("Initech", webhook_url=URL, ca_file=authorities, insecure=True)


def test_a_refused_url_leaves_no_product_behind(leanbe: Leanbe) -> None:
    with pytest.raises(InvalidValue):
        leanbe.products.create("Acme", webhook_url="ftp://example.com")
    assert rows(leanbe) == {}


def test_names_are_unique(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme")
    with pytest.raises(Conflict, match="'Acme' already"):
        leanbe.products.create(" Acme ")
    other = leanbe.products.create("acme")
    with pytest.raises(Conflict, match="'Acme' already"):
        leanbe.products.rename(other, "Acme")


def test_a_renamed_product_keeps_all_but_its_name(leanbe: Leanbe) -> None:
    before = leanbe.products.create("Acme", webhook_url=URL)
    after = leanbe.products.rename("Acme", "Bcme")
    assert (after.id, after.name, after.webhook) == (before.id, "Bcme", before.webhook)
    assert leanbe.products.rename("Bcme", "Bcme") == after
    with pytest.raises(NotFound):
        leanbe.products.get("Acme")


def test_products_are_listed_in_the_order_of_their_creation(leanbe: Leanbe) -> None:
    names = ["Zebra", "Acme", "Mole"]
    for name in names:
        leanbe.products.create(name)
    assert [product.name for product in leanbe.products.list()] == names


def test_deleting_a_product_leaves_nothing_of_it(
    leanbe: Leanbe, receiver: LoopbackReceiver
) -> None:
    kept = leanbe.products.create("Kept")
    before = rows(leanbe)
    product = leanbe.products.create("Acme", webhook_url=receiver.url)
    leanbe.webhooks.rotate(product)
    product.users.create(email="ana@example.com", first_name="Ana")
    leanbe.trigger("idea.created", product=product)
    leanbe.trigger_all(TriggerRequest(events=["idea.updated"], product=product), deliver=False)
    assert rows(leanbe).keys() >= {"attempts", "deliveries", "events", "retired_secrets"}
    leanbe.products.delete(product)
    assert rows(leanbe) == before
    assert list(leanbe.journal.next(START)[0]) == []
    assert leanbe.products.list() == [kept]


def test_a_user_who_has_another_product_outlives_a_deleted_one(leanbe: Leanbe) -> None:
    acme, other = leanbe.products.create("Acme"), leanbe.products.create("Other")
    ana = acme.users.create(email="ana@example.com", first_name="Ana")
    leanbe.users.grant(ana, product=other)
    leanbe.products.delete(acme)
    assert ana in other.users.list()


def test_no_call_finds_a_deleted_product(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme")
    leanbe.products.delete(product)
    calls: list[Callable[[], object]] = [
        lambda: leanbe.products.get(product),
        lambda: leanbe.products.delete(product),
        lambda: leanbe.webhooks.set(product, URL),
        lambda: leanbe.assumptions.of(product),
        product.users.list,
        lambda: leanbe.trigger("idea.created", product=product),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()


def test_a_product_is_named_by_its_name_its_id_or_a_part_of_it(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme")
    references: list[str | Product] = [
        product,
        "Acme",
        " Acme\n",
        product.id,
        product.id.upper(),
        product.id[-6:],
        f"…{product.id[-6:]}",
        product.id[:10],
        product.id[2:],
    ]
    for reference in references:
        assert leanbe.products.get(reference) == product


@pytest.mark.parametrize("reference", ["", "acme", "a%", "______", "\0", "\ud800", "Acme\0", "😀"])
def test_a_reference_to_nothing_is_not_found(leanbe: Leanbe, reference: str) -> None:
    leanbe.products.create("Acme")
    with pytest.raises(NotFound):
        leanbe.products.get(reference)


def test_five_digits_of_an_id_and_digits_of_its_middle_name_nothing(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme")
    for part in (product.id[-5:], product.id[8:18]):
        with pytest.raises(NotFound):
            leanbe.products.get(part)


def test_a_part_that_several_ids_have_is_refused(leanbe: Leanbe) -> None:
    first, second = leanbe.products.create("Acme"), leanbe.products.create("Other")
    assert first.id[:6] == second.id[:6]
    with pytest.raises(InvalidValue, match="more than one product"):
        leanbe.products.get(first.id[:6])


def test_a_name_beats_a_part_of_an_id_and_a_whole_id_beats_a_name(leanbe: Leanbe) -> None:
    first = leanbe.products.create("Acme")
    part = leanbe.products.create(first.id[-6:])
    whole = leanbe.products.create(first.id)
    assert leanbe.products.get(first.id[-6:]) == part
    assert leanbe.products.get(first.id) == first
    assert leanbe.products.get(whole) == whole


def test_the_nearest_name_is_suggested(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme Corporation")
    with pytest.raises(NotFound) as caught:
        leanbe.products.get("acme corporatoin")
    assert caught.value.hint == "Did you mean Acme Corporation?"


def test_the_only_product_needs_no_name(leanbe: Leanbe) -> None:
    with pytest.raises(NotFound, match="no product yet"):
        leanbe.products.only()
    product = leanbe.products.create("Acme")
    assert leanbe.products.only() == product
    leanbe.products.create("Other")
    with pytest.raises(InvalidValue, match=r"'Acme', 'Other'\. Name one"):
        leanbe.products.only()


@pytest.mark.parametrize(
    "name", ["Ünïcødé 😀", "a" * 200, "😀" * 200, 'quote " and \\', "\u202eright"]
)
def test_a_name_is_kept_to_the_character(leanbe: Leanbe, name: str) -> None:
    leanbe.products.create(name)
    assert leanbe.products.get(name).name == name


@pytest.mark.parametrize("name", ["", "  ", "a" * 201, "nul \0", "half \ud83d", "\udfff"])
def test_a_name_that_cannot_be_one_is_refused(leanbe: Leanbe, name: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        leanbe.products.create(name)
    assert str(caught.value).isascii()
    assert leanbe.products.list() == []


def test_a_product_shows_no_secret(leanbe: Leanbe) -> None:
    product = leanbe.products.create(
        "Acme", webhook_url=URL, secret="whsec_hush", headers=[("X-Token", "hush hush")]
    )
    for shown in (repr(product), str(product), repr(product.document()), repr(leanbe)):
        assert "hush" not in shown


def test_a_snapshot_can_be_kept_in_a_set(leanbe: Leanbe) -> None:
    product = leanbe.products.create("Acme", assume={"method": "PUT"})
    assert {product, leanbe.products.get("Acme")} == {product}


def test_of_two_who_take_a_name_at_once_one_is_told_that_it_is_taken(database_url: str) -> None:
    with Leanbe(database_url) as one, Leanbe(database_url) as other:
        for n in range(10):
            results = call_at_once(
                partial(one.products.create, f"Acme {n}"),
                partial(other.products.create, f"Acme {n}"),
            )
            assert sorted(type(result).__name__ for result in results) == ["Conflict", "Product"]


def test_a_name_taken_by_a_transaction_that_ends_meanwhile_is_a_conflict(
    postgresql_ready: str,
) -> None:
    with (
        Leanbe(postgresql_ready) as leanbe,
        Leanbe(postgresql_ready) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        with other.transaction():
            other.products.create("Acme")
            creation = thread.submit(leanbe.products.create, "Acme")
            until_somebody_waits(postgresql_ready)
        assert isinstance(creation.exception(), Conflict)


def test_a_product_deleted_while_its_event_is_recorded_leaves_nothing_of_that(
    postgresql_ready: str,
) -> None:
    with (
        Leanbe(postgresql_ready) as leanbe,
        Leanbe(postgresql_ready) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        product = leanbe.products.create("Acme", webhook_url=URL)
        with leanbe.transaction():
            leanbe.trigger_all(TriggerRequest(events=["idea.created"]), deliver=False)
            deletion = thread.submit(other.products.delete, product)
            until_somebody_waits(postgresql_ready)
        deletion.result()
        assert rows(leanbe) == {}
